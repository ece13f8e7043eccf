"""From bytes to columns: what is taken, what is refused and why, and that nothing makes it raise."""

import json
import math
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoding.decoder import Decoded, DecodeLimits, decode
from ingest.decoding.rejects import LISTED, REASONS, Reject
from ingest.messages import Message
from tests.ingest.decoding.payload_cases import BAD_ITEMS, GOOD, GOOD_ITEMS, raw, with_members

RECEIVED = 1_533_200_000_000
LIMITS = DecodeLimits(max_ahead=600_000, oldest=-2_000_000_000_000)
ARRAYABLE = {item: reason for item, reason in BAD_ITEMS.items() if reason != "bad_json" or "NaN" in item}
"""Bad items after which an array's next item can still be found."""


def decoded(payload: bytes, topic: str | None = None, limits: DecodeLimits = LIMITS) -> Decoded:
    return decode([Message(payload, topic)], RECEIVED, limits)


def reasons(found: Decoded) -> list[str]:
    return [reject.reason for reject in found.rejects]


def test_position_of_the_contract_becomes_a_row_of_columns() -> None:
    payload = (
        b'{"deviceId": "4ca7b3", "timestamp": "2018-08-01T05:00:00.000Z", "latitude": 46.68,'
        b' "longitude": 10.2, "altitude": 11582.4, "speed": 225.4, "heading": 292.4,'
        b' "verticalRate": 0.0, "accuracy": 10, "callsign": "TOM2XE", "squawk": null}'
    )

    found = decoded(payload, "aircraft/4ca7b3/position")

    batch = found.batch
    assert found.rejects == []
    assert (batch.device_id[0], batch.sample_time[0]) == ("4ca7b3", 1_533_099_600_000)
    assert (batch.longitude[0], batch.latitude[0]) == (10.2, 46.68)
    assert (batch.altitude[0], batch.accuracy[0]) == (11582.4, 10.0)
    assert batch.properties[0] == (
        '{"altitude":11582.4,"callsign":"TOM2XE","heading":292.4,"speed":225.4,"verticalRate":0.0}'
    )
    assert (found.message.tolist(), found.item.tolist()) == ([0], [0])


@pytest.mark.parametrize("item", GOOD_ITEMS, ids=range(len(GOOD_ITEMS)))
def test_good_item_is_taken_alone_in_an_array_and_on_a_line(item: str) -> None:
    for payload, count in ((item, 1), (f"[{item},{item}]", 2), (f"{item}\n\n{item}\r\n", 2)):
        found = decoded(raw(payload))
        assert (len(found.batch), found.rejects) == (count, [])


@pytest.mark.parametrize(("item", "reason"), BAD_ITEMS.items(), ids=range(len(BAD_ITEMS)))
def test_bad_item_is_refused_for_its_reason_alone_and_on_a_line_beside_good_ones(
    item: str, reason: str
) -> None:
    alone = decoded(raw(item))
    between = decoded(raw(f"{GOOD}\n{item}\n{GOOD}"))

    assert (len(alone.batch), reasons(alone)) == (0, [reason])
    assert (len(between.batch), reasons(between)) == (2, [reason])
    assert (between.item.tolist(), between.rejects[0].item) == ([0, 2], 1)


@pytest.mark.parametrize(("item", "reason"), ARRAYABLE.items(), ids=range(len(ARRAYABLE)))
def test_bad_item_of_an_array_does_not_take_its_neighbours_along(item: str, reason: str) -> None:
    found = decoded(raw(f"[{GOOD}, {item}, {GOOD}]"))

    assert (len(found.batch), reasons(found)) == (2, [reason])
    assert (found.item.tolist(), found.rejects[0].item) == ([0, 2], 1)


@pytest.mark.parametrize("payload", [b" ", b"\n\r\n\t", b"[]", b" [ ] \n"])
def test_payload_that_holds_nothing_is_no_error(payload: bytes) -> None:
    found = decoded(payload)

    assert (len(found.batch), found.rejects) == (0, [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"x" * 10_000_000, "too_large"),
        (b"[" + GOOD.encode() + b"," + b" " * (1 << 20) + b"]", "too_large"),
        (b"[" * 300, "bad_json"),
        (b"[" * 1_000_000, "bad_json"),
        (b"[" + GOOD.encode(), "bad_json"),
        (b"[" + GOOD.encode() + b",]", "bad_json"),
        (b"[" + GOOD.encode() + b" " + GOOD.encode() + b"]", "bad_json"),
        (b"[" + GOOD.encode() + b"] x", "bad_json"),
        (b"[\n" + GOOD.encode() + b",\n" + GOOD.encode() + b"\n", "bad_json"),
        (b"{\n" + GOOD[1:-1].encode().replace(b",", b",\n"), "bad_json"),
        (b'"' + b'\\"' * 500_000, "bad_json"),
        (b"[" * 2000 + b'"' + b'\\"' * 500_000, "bad_json"),
        (b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(1_000_000)) + b"}", "too_large"),
    ],
    ids=range(14),
)
def test_payload_that_cannot_be_taken_apart_is_one_reject(payload: bytes, reason: str) -> None:
    found = decoded(payload)

    assert (len(found.batch), reasons(found), found.rejects[0].item) == (0, [reason], None)


def test_object_printed_over_several_lines_is_one_object() -> None:
    lines = GOOD.replace(",", ",\n").replace("{", "{\n")

    assert len(decoded(lines.encode()).batch) == 1
    assert reasons(decoded(lines.replace("1,", "NaN,").encode())) == ["bad_json"]


@pytest.mark.parametrize("first", ["{", "[]", "[" + GOOD + "]", "[" * 2000 + "]" * 2000, "[", "x", "1"])
def test_first_line_that_is_bad_does_not_take_the_others_along(first: str) -> None:
    found = decoded(f"{first}\n{GOOD}\n{GOOD}".encode())

    assert (len(found.batch), len(found.rejects)) == ((2, 1) if first != "[" else (0, 1))


def test_detail_names_field_value_and_place_and_what_would_be_right() -> None:
    bad = GOOD.replace('"latitude":1', '"latitude":91.2')
    details = [
        decoded(payload.encode()).rejects[0].detail
        for payload in (bad, f"[{GOOD},{GOOD},{GOOD},{bad}]", f"{GOOD}\n{bad}")
    ]

    assert details == [
        "latitude 91.2: expected -90..90",
        "latitude 91.2 at item 3: expected -90..90",
        "latitude 91.2 at line 2: expected -90..90",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_detail_shows_any_text_short_and_on_one_line(text: str) -> None:
    payload = GOOD.encode().replace(b'"latitude":1', b'"latitude":' + _json_text(text))

    for reject in decoded(payload).rejects:
        assert len(reject.detail) < 150
        assert reject.detail.isprintable()


def test_topic_gives_the_device_and_refuses_another() -> None:
    without = GOOD.replace('"deviceId":"a",', "")
    topic = "aircraft/b/position"

    assert decoded(without.encode(), topic).batch.device_id.tolist() == ["b"]
    assert decoded(GOOD.replace('"a"', "null").encode(), topic).batch.device_id.tolist() == ["b"]
    assert decoded(GOOD.replace('"a"', '"b"').encode(), topic).batch.device_id.tolist() == ["b"]
    assert reasons(decoded(GOOD.encode(), topic)) == ["device_mismatch"]
    assert reasons(decoded(f"[{GOOD},{without}]".encode(), topic)) == ["device_mismatch"]
    assert reasons(decoded(without.encode(), "overfly/positions/3")) == ["missing"]
    for wrong in ("aircraft//position", "aircraft/a b/position", "aircraft/\ud800/position"):
        assert reasons(decoded(without.encode(), wrong)) == ["bad_device_id"]


@pytest.mark.parametrize(
    ("payload", "topic", "device_id"),
    [
        (GOOD.replace("1,", "91,"), None, "a"),
        (GOOD.replace("1,", "91,"), "aircraft/b/position", "b"),
        (with_members('"x":1e400'), None, "a"),
        (with_members('"x":"\\ud800."'), None, "a"),
        (with_members('"x":"\\u0000"'), None, "a"),
        (with_members('"x":"\udcff"'), None, "a"),
        ("{}", "aircraft/b/position", "b"),
        ("broken", "aircraft/b/position", "b"),
        ("broken", "aircraft/b b/position", None),
        ("broken", None, None),
    ],
)
def test_reject_names_the_device_as_far_as_it_is_known(
    payload: str, topic: str | None, device_id: str | None
) -> None:
    assert [reject.device_id for reject in decoded(raw(payload), topic).rejects] == [device_id]


def test_reject_keeps_what_is_known_of_its_message() -> None:
    payload = b"x" * 5000
    messages = [Message(GOOD.encode()), Message(payload, "t", redelivered=True)]

    found = decode(messages, RECEIVED, LIMITS)

    reject = found.rejects[0]
    assert reject == Reject("bad_json", reject.detail, "t", None, payload[:4096], 1, None, True)
    assert found.message.tolist() == [0]


def test_times_are_measured_against_receipt_and_retention() -> None:
    limits = DecodeLimits(max_ahead=600_000, oldest=RECEIVED - 1000)

    def at(time: int) -> list[str]:
        return reasons(decoded(GOOD.replace("1533100000", str(time)).encode(), limits=limits))

    assert at(RECEIVED + 600_000) == at(RECEIVED - 1000) == []
    assert at(RECEIVED + 600_001) == ["in_future"]
    assert at(RECEIVED - 1001) == ["too_old"]
    unlimited = DecodeLimits(max_ahead=None)
    assert (
        reasons(decoded(GOOD.replace("1533100000", '"9999-12-31T23:59:59Z"').encode(), limits=unlimited))
        == []
    )


def test_altitude_is_a_column_where_it_is_a_number_and_a_property_always() -> None:
    values = ["1", "1.5", "true", '"high"', "[1]", "null"]

    batch = decoded("\n".join(with_members(f'"altitude":{value}') for value in values).encode()).batch

    assert batch.altitude[:2].tolist() == [1.0, 1.5]
    assert all(math.isnan(altitude) for altitude in batch.altitude[2:])
    assert batch.properties.tolist() == [f'{{"altitude":{value}}}' for value in values[:-1]] + [""]


def test_many_bad_items_of_one_payload_are_listed_up_to_a_limit_and_then_gathered() -> None:
    payload = b"[" + b"1," * 100_000 + b'{"deviceId":"a"},' * 2 + GOOD.encode() + b"]"
    tracemalloc.start()

    found = decode([Message(payload), Message(b"broken")], RECEIVED, LIMITS)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.batch) == 1
    assert [(reject.reason, reject.count) for reject in found.rejects[LISTED:]] == [
        ("not_object", 99_000),
        ("missing", 2),
        ("bad_json", 1),
    ]
    assert "99,000 more items" in found.rejects[LISTED].detail
    assert peak < 8 << 20


def test_every_reason_that_is_given_is_in_the_table() -> None:
    assert {*BAD_ITEMS.values(), "empty", "device_mismatch"} == set(REASONS) - {
        "conflict", "encrypted", "forgotten", "unstorable",
    }  # fmt: skip


ITEMS = st.sampled_from([*GOOD_ITEMS, *(item for item in BAD_ITEMS if len(item) < 20_000)])


@given(st.lists(ITEMS, max_size=8))
def test_a_line_stands_or_falls_alone(items: list[str]) -> None:
    together = decoded(raw("\n".join([*items, GOOD, "x"])))

    alone = [decoded(raw(item)) for item in [*items, GOOD, "x"]]
    assert reasons(together) == [reason for found in alone for reason in reasons(found)]
    assert together.batch.properties.tolist() == [text for found in alone for text in found.batch.properties]


@given(
    st.lists(st.sampled_from([*GOOD_ITEMS, *(item for item in ARRAYABLE if len(item) < 20_000)]), max_size=8)
)
def test_an_item_of_an_array_stands_or_falls_alone(items: list[str]) -> None:
    together = decoded(raw(f"[{','.join(items)}]"))

    alone = [decoded(raw(item)) for item in items]
    assert reasons(together) == [reason for found in alone for reason in reasons(found)]
    assert together.batch.properties.tolist() == [text for found in alone for text in found.batch.properties]


FRAGMENTS = st.sampled_from(
    [
        *map(raw, GOOD_ITEMS),
        *(raw(item) for item in BAD_ITEMS if len(item) < 1000),
        *rb'[ ] { } , : " \ \u0000 \ud800 1e400 NaN'.split(),
        *(b"\n", b"\r", b"\xff"),
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12).map(b"".join))
@settings(max_examples=400)
def test_no_bytes_make_it_raise(payload: bytes) -> None:
    _check(payload)


@given(st.data())
@settings(max_examples=300)
def test_no_mutation_of_a_good_payload_makes_it_raise(data: st.DataObject) -> None:
    payload = bytearray(raw("[" + ",".join(GOOD_ITEMS[:6]) + "]"))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload)))
        payload[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3) | FRAGMENTS)
    _check(bytes(payload))


def _check(payload: bytes) -> None:
    for topic in (None, "aircraft/a/position"):
        found = decoded(payload, topic)
        n = len(found.batch)
        assert n == len(found.message) == len(found.item) == len(found.batch.properties)
        assert (abs(found.batch.latitude) <= 90).all()
        assert (abs(found.batch.longitude) <= 180).all()
        for text in found.batch.properties:
            assert not text or "\0" not in "".join(_texts(json.loads(text)))
            text.encode()  # no lone surrogate
        for reject in found.rejects:
            assert reject.reason in REASONS
            assert reject.detail.isprintable()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _json_text(text: str) -> bytes:
    return (
        b'"' + b"".join(b"\\u%04x" % ord(c) if ord(c) < 32 or c in '"\\' else c.encode() for c in text) + b'"'
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"[" + GOOD.encode() + b', {"deviceId":"b"} ,' + GOOD.encode() + b"]",
        b"[" + GOOD.encode() + b',{"deviceId":"b"},{"deviceId":"\\u0000"}]',
        GOOD.encode() + b'\n\n{"deviceId":"b"}\n',
    ],
)
def test_of_an_array_or_lines_a_reject_keeps_the_refused_item_alone(payload: bytes) -> None:
    refused = decode([Message(payload)], RECEIVED, LIMITS).rejects[0]

    assert refused.reason == "missing"
    assert refused.payload == b'{"deviceId":"b"}'
