"""Payloads that are read in C are read as without it: the same rows, the same refusals, in the same order."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decoding.decoder import Decoded, DecodeLimits, decode
from ingest.decoding.usual_lines import COMPILED
from ingest.decoding.usual_payloads import usual_payloads
from ingest.messages import Message
from tests.ingest.decoding.payload_cases import BAD_ITEMS, GOOD, GOOD_ITEMS, raw, with_members

NOW = 2_000_000_000_000
LIMITS = DecodeLimits(max_ahead=600_000, oldest=-2_000_000_000_000)


def contents(decoded: Decoded) -> tuple[object, ...]:
    """All of it, doubles to the last bit."""
    device_id, sample_time, *doubles, properties = (column.tolist() for column in decoded.batch.columns())
    numbers = [[float.hex(value) for value in column] for column in doubles]
    places = decoded.message.tolist(), decoded.item.tolist()
    return device_id, sample_time, numbers, properties, places, decoded.rejects


def assert_read_alike(messages: Sequence[Message], limits: DecodeLimits = LIMITS) -> None:
    judged = decode(messages, NOW, limits, library=None)
    assert contents(decode(messages, NOW, limits)) == contents(judged)


def taken(payload: bytes, topic: str | None = None) -> bool:
    """Whether all of a payload is read in C."""
    assert COMPILED is not None
    found = usual_payloads(COMPILED, [Message(payload, topic)], LIMITS.bounds(NOW), LIMITS.payload_bytes)
    return found is not None and bool(found.taken.all())


USUAL = with_members('"speed":225.4,"altitude":11582.4,"callsign":"TOM2XE","航":true,"none":null,"rate":-0.0')


@pytest.mark.parametrize(
    "payload",
    [
        USUAL,
        f"{USUAL}\n{GOOD}\n",
        f"[{USUAL},{GOOD}, {GOOD}]",
        json.dumps([json.loads(USUAL)] * 3, ensure_ascii=False),
    ],
)
def test_usual_payload_is_read_in_c(payload: str) -> None:
    assert taken(payload.encode(), "aircraft/a/position")
    assert_read_alike([Message(payload.encode(), "aircraft/a/position")])


NAMES = st.sampled_from(["a", "b", "", "航", "é", "altitude", "},{", "deviceId", "accuracy"])
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**6), 10**6, places=4).map(str),
    st.integers(-(10**17), 10**17).map(str),
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,16})?\Z"),
    st.from_regex(r"\A-?0\.0{0,6}[0-9]{1,9}\Z"),
)
VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(
        ["null", "true", "false", '"}, {"', '"x\\"y"', '"\x7f"', '"\\u0041"', "{}", '[{"a":1},{"b":2}]']
    ),
    st.text().map(lambda text: json.dumps(text, ensure_ascii=False)),
)
MEMBERS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
    lambda members: (
        with_members(",".join(f'"{name}":{value}' for name, value in members)) if members else GOOD
    )
)


@given(MEMBERS)
@settings(max_examples=300, deadline=None)
@example(with_members('"a":1,"a":null'))
@example(with_members('"a":null,"a":1'))
@example(with_members('"b":0.0001,"a":0.00001,"c":-0'))
@example(with_members('"b":999999999999999,"a":0.100000000000000,"c":123456789012345.0'))
@example(with_members(",".join(f'"m{number}":{number}' for number in range(40))))
def test_properties_are_kept_in_the_same_form(item: str) -> None:
    assert_read_alike([Message(item.encode("utf-8", "surrogatepass"))])


ITEMS = st.one_of(
    st.just(USUAL),
    st.sampled_from([*GOOD_ITEMS, *(item for item in BAD_ITEMS if len(item) < 20_000)]),
    st.sampled_from(["", "},{", '{"x":{}', "[]", "\n"]),
)


@st.composite
def payloads(draw: st.DrawFn) -> Message:
    """Objects, arrays and lines, whole and broken, on a topic that binds them or not."""
    items = draw(st.lists(ITEMS, max_size=4))
    before, between, after = draw(
        st.sampled_from(
            [("", "\n", ""), ("", "\n", "\n"), ("[", ",", "]"), ("[", ", ", "]"), ("[", ",\n", "]\n")]
        )
    )
    topic = draw(st.sampled_from([None, "aircraft/a/position", "aircraft/b/position", "overfly/positions/7"]))
    cut_from = draw(st.sampled_from([None, None, None, 5_000_000]))
    return Message(raw(before + between.join(items) + after), topic, cut_from=cut_from)


@given(st.lists(payloads(), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_mixture_of_payloads_is_read_alike(messages: list[Message]) -> None:
    assert_read_alike(messages)


@pytest.mark.parametrize(
    "limits",
    [
        DecodeLimits(payload_bytes=len(USUAL)),
        DecodeLimits(payload_bytes=len(GOOD)),
        DecodeLimits(property_bytes=20),
        DecodeLimits(depth=0),
        DecodeLimits(oldest=NOW),
    ],
)
def test_limits_are_heeded(limits: DecodeLimits) -> None:
    assert_read_alike(
        [Message(USUAL.encode()), Message(GOOD.encode()), Message(f"{GOOD}\n{GOOD}".encode())], limits
    )
