"""Mails: what a person reads, and that nobody's names do harm in them."""

import unicodedata
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.dispatch.mail import Envelope, address, composed
from service.errors import SettingsError
from service.store.reading.alert_events import GatheredEvents, GeofenceCount, ToldEvent
from tests.service.dispatch.post_office import Received

ENVELOPE = Envelope(
    "<00112233445566778899aabbccddeeff@overfly>",
    1_533_099_605_000,
    "overfly@example.org",
    "ops@example.org",
    "https://overfly.example.org/",
)
FLIGHT: dict[str, object] = {"callsign": "TOM2XE ", "altitude": 11582.4, "speed": 225.4, "heading": 292.4}


def told(properties: dict[str, object] = FLIGHT, **changed: Any) -> ToldEvent:
    event: dict[str, Any] = {
        "tracker_name": "default",
        "collection_name": "default",
        "device_id": "4067f2",
        "geofence_id": "LSZH",
        "geofence_name": "Zürich Airport",
        "event_type": "ENTER",
        "sample_time": 1_533_099_600_000,
        "longitude": -8.55,
        "latitude": 47.4581,
    }
    return ToldEvent(**{**event, **changed}, properties=properties)


def mailed(*events: ToldEvent, total: int | None = None, dwelled: int = 0) -> Received:
    native = [{"eventId": f"{number:032x}"} for number in range(total or len(events))]
    counts = [GeofenceCount("LSZH", events[0].geofence_name, len(native) - 1 - dwelled, 1, dwelled)]
    mail = composed(ENVELOPE, GatheredEvents(native, events, counts))
    return Received((), mail.as_bytes())


def test_one_crossing_is_told_in_full() -> None:
    received = mailed(told())

    assert received.mail["subject"] == "TOM2XE (4067f2) entered Zürich Airport"
    assert received.text == (
        "TOM2XE (4067f2) entered Zürich Airport\n"
        "When: Wed 1 Aug 2018, 05:00:00 UTC\n"
        "Geofence: Zürich Airport (LSZH)\n"
        "Altitude: 38,000 ft (11,582 m)\n"
        "Speed: 438 kt (811 km/h)\n"
        "Heading: 292°\n"
        "Position: 47.45810° N, 8.55000° W\n"
        "All its events: https://overfly.example.org/v1/events?device=4067f2\n"
        "\n"
        "The event with its id is in the attached events.ndjson. Sent by Overfly.\n"
    )
    assert received.mail["message-id"] == ENVELOPE.message_id
    assert received.mail["date"] == "Wed, 01 Aug 2018 05:00:05 -0000"
    assert received.mail["auto-submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "has been inside Zürich Airport for 1 second"),
        (90, "has been inside Zürich Airport for 90 seconds"),
        (0.5, "has been inside Zürich Airport for 0.5 seconds"),
        (300, "has been inside Zürich Airport for 5 minutes"),
        (3600, "has been inside Zürich Airport for 1 hour"),
        (5400, "has been inside Zürich Airport for 1 h 30 min"),
        (None, "has stayed inside Zürich Airport"),
    ],
)
def test_a_dwell_says_for_how_long(seconds: float | None, said: str) -> None:
    received = mailed(told(event_type="DWELL", dwell_seconds=seconds))
    assert received.mail["subject"] == f"TOM2XE (4067f2) {said}"


def test_a_crossing_between_two_positions_says_so() -> None:
    received = mailed(told(interpolated=True))
    assert "When: Wed 1 Aug 2018, 05:00:00 UTC (between two positions)\n" in received.text


def test_dwells_are_counted_by_themselves() -> None:
    received = mailed(told(), told(event_type="DWELL"), told(), told(), dwelled=1)
    assert received.text.startswith("4 events\nZürich Airport (LSZH): 2 entered, 1 left, 1 stayed\n")


def test_what_the_device_did_not_say_is_left_out() -> None:
    received = mailed(told({}, event_type="EXIT", geofence_name="LSZH", tracker_name="drones"))

    assert received.mail["subject"] == "4067f2 left LSZH"
    assert "Altitude" not in received.text
    assert "Geofence: LSZH\n" in received.text
    assert "/v1/events?device=4067f2&tracker=drones\n" in received.text


@pytest.mark.parametrize(
    "value", [None, True, "fast", [1], {"m": 1}, 1e300, -(10**300), float("nan"), "\x00", [[[]]]]
)
def test_properties_of_any_type_are_no_fact_unless_they_are_one(value: object) -> None:
    received = mailed(told({"altitude": value, "speed": value, "heading": value, "callsign": [value]}))

    assert received.mail["subject"] == "4067f2 entered Zürich Airport"
    assert [line.split(":")[0] for line in received.text.splitlines()[1:4]] == [
        "When",
        "Geofence",
        "Position",
    ]


def test_many_crossings_are_counted_and_the_first_hundred_told_and_all_attached() -> None:
    received = mailed(*[told()] * 100, total=1234)

    assert received.mail["subject"] == "1,234 events: TOM2XE entered Zürich Airport, and 1,233 more"
    assert received.text.startswith(
        "1,234 events\nZürich Airport (LSZH): 1,233 entered, 1 left\n\n1. TOM2XE (4067f2) entered"
    )
    assert "\n\n100. TOM2XE" in received.text
    assert "These are the first 100 of 1,234. Every event with its id" in received.text
    assert received.event_ids == [f"{number:032x}" for number in range(1234)]


def test_the_same_alert_makes_the_same_bytes() -> None:
    assert mailed(told(), told()).content == mailed(told(), told()).content


def test_a_hostile_name_is_shown_not_obeyed() -> None:
    name = "<script>alert(1)</script>\r\nBcc: all@example.org\r\n\r\n<b>\u202egnp.exe\x00"
    received = mailed(told({"callsign": name}, geofence_name=name))
    html = received.mail.get_body(("html",))

    assert received.mail["bcc"] is None
    assert received.mail["subject"].endswith(
        r"entered <script>alert(1)</script>\r\nBcc: all@example.org\r\n\r\n<b>\u{202e}gnp.exe\u{0}"
    )
    assert html is not None
    assert "&lt;script&gt;" in html.get_content()
    assert "<script>" not in html.get_content()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]


names = st.one_of(
    st.text(min_size=1, max_size=300),
    st.text("<>&\"'\r\n\t \u202e\u2028\x00://=?.", min_size=1),
    st.sampled_from(["x" * 8192, "é" * 8192, "\ud800", "=?utf-8?q?x?=", " ", "🛩" * 200]),
)
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(names, st.dictionaries(st.sampled_from(["callsign", "altitude", "speed", "heading"]), json_values))
def test_no_text_breaks_a_mail(name: str, properties: dict[str, object]) -> None:
    received = mailed(told(properties, geofence_name=name), told(properties, geofence_name=name))
    plain = mailed(told(), told())

    assert received.mail.keys() == plain.mail.keys()
    assert received.event_ids == plain.event_ids
    assert len(received.text.splitlines()) <= len(plain.text.splitlines())
    assert not [c for c in received.text if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]
    assert max(map(len, received.content.splitlines())) <= 998
    assert received.content.isascii()
    seen, expected = _Tags(), _Tags()
    for tags, each in ((seen, received), (expected, plain)):
        html = each.mail.get_body(("html",))
        assert html is not None
        tags.feed(html.get_content())
    assert set(seen.tags) == set(expected.tags)
    assert seen.links == expected.links


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ops",
        "@",
        "ops@",
        "o ps@x.org",
        "ops@x\nBcc: y@z",
        "ops@x..org",
        "ö@x.org",
        "<ops@x.org>",
        "a@b,c@d",
    ],
)
def test_what_is_no_address_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(SettingsError, match="is not a mail address"):
        address(wrong)


def test_an_international_domain_is_written_in_ascii() -> None:
    assert address(" o'ps+1@exämple.org ") == "o'ps+1@xn--exmple-cua.org"


def test_a_host_may_be_named_as_hosts_are() -> None:
    hosts = ["localhost", "my_host.", "[127.0.0.1]", "[IPv6:::1]"]

    assert [address(f"overfly@{host}") for host in hosts] == [f"overfly@{host.strip('.')}" for host in hosts]


def test_attached_events_are_the_native_ones() -> None:
    (attachment,) = mailed(told()).mail.iter_attachments()

    assert attachment.get_filename() == "events.ndjson"
    assert attachment.get_content_type() == "application/x-ndjson"
    assert msgspec.json.decode(attachment.get_content()) == {"eventId": "0" * 32}
