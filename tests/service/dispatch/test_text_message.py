"""What a telephone shows."""

from typing import Any

import pytest

from service.dispatch.text_message import LONGEST, fits, is_gsm, text_message
from service.store.reading.alert_events import GatheredEvents, ToldEvent

TIME = 1_533_099_600_000


def told(device_id: str = "4067f2", geofence_name: str = "Zürich Airport", **changes: Any) -> ToldEvent:
    values: dict[str, Any] = {
        "tracker_name": "default",
        "collection_name": "default",
        "device_id": device_id,
        "geofence_id": "LSZH",
        "geofence_name": geofence_name,
        "event_type": "ENTER",
        "sample_time": TIME,
        "longitude": 8.55,
        "latitude": 47.45,
        "properties": {"callsign": "TOM2XE"},
        **changes,
    }
    return ToldEvent(**values)


def text_of(*events: ToldEvent, total: int | None = None) -> str:
    native: list[dict[str, object]] = [{} for _ in range(total or len(events))]
    return text_message(GatheredEvents(native, list(events), []))


def test_one_crossing_is_told_with_its_time() -> None:
    text = text_of(told())
    assert text == "TOM2XE (4067f2) entered Zürich Airport, Wed 1 Aug 2018, 05:00:00 UTC"
    assert fits(text)


def test_a_dwell_says_for_how_long() -> None:
    text = text_of(told(event_type="DWELL", dwell_seconds=300))
    assert (
        text == "TOM2XE (4067f2) has been inside Zürich Airport for 5 minutes, Wed 1 Aug 2018, 05:00:00 UTC"
    )
    assert fits(text)


def test_of_several_as_many_are_told_as_fit() -> None:
    text = text_of(told(), told(event_type="EXIT", sample_time=TIME + 60_000), *[told()] * 18, total=250)
    assert text == (
        "250 events, Wed 1 Aug 2018, UTC:\n"
        "05:00 TOM2XE entered Zürich Airport\n"
        "05:01 TOM2XE left Zürich Airport\n"
        "05:00 TOM2XE entered Zürich Airport\n"
        "and 247 more"
    )
    assert fits(text)


def test_letters_that_gsm_has_not_lose_their_accents() -> None:
    assert "entered Kosice - Praha" in text_of(told(geofence_name="Košice – Praha"))


def test_what_has_no_likeness_in_gsm_is_sent_as_it_is() -> None:
    text = text_of(told(geofence_name="東京国際空港", properties={}))
    assert text.startswith("4067f2 entered 東京国際空港, ")
    assert not is_gsm(text)
    assert fits(text)


def test_what_cannot_be_one_message_becomes_several_but_not_too_many() -> None:
    long = text_of(told("x" * 100, "東" * 100, properties={}))
    assert not fits(long)
    assert len(long) <= LONGEST


@pytest.mark.parametrize(("text", "one"), [("a" * 160, True), ("a" * 161, False), ("€" * 81, False)])
def test_a_message_has_160_characters_of_gsm_and_its_extension_counts_twice(text: str, one: bool) -> None:
    assert fits(text) is one


@pytest.mark.parametrize(("text", "one"), [("я" * 70, True), ("я" * 71, False), ("𝄞" * 36, False)])
def test_another_alphabet_has_70(text: str, one: bool) -> None:
    assert fits(text) is one
