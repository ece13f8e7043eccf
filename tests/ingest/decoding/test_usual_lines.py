"""What is read in C is what is read without it, bit for bit; what is not usual it leaves, and survives."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decoding import payloads
from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.device_positions import Row, device_position
from ingest.decoding.faults import Fault
from ingest.decoding.line_columns import DeviceSlots, LineColumns
from ingest.decoding.usual_lines import COMPILED, usual_columns
from tests.ingest.decoding.payload_cases import BAD_ITEMS, GOOD_ITEMS, raw

BOUNDS = DecodeLimits(max_ahead=600_000, oldest=-60_000_000_000_000).bounds(2_000_000_000_000)


def test_the_library_is_built_and_reads_usual_lines() -> None:
    assert COMPILED is not None, "not built: are Python's headers there (Debian: python3-dev)?"


def read(
    *lines: bytes, asked: Sequence[str] = (), altitudes: bool = True
) -> tuple[LineColumns, list[str | None]]:
    """What the library takes of these lines, and the ids of the devices by slot."""
    assert COMPILED is not None
    slots = DeviceSlots(None)
    chunk = b"".join(line + b"\n" for line in lines)
    properties = AskedProperties(asked)
    count, columns = usual_columns(COMPILED, chunk, 0, slots, BOUNDS, properties, altitudes=altitudes)
    assert count == len(lines)
    return columns, list(slots)


def rows(columns: LineColumns, device_ids: list[str | None]) -> list[tuple[object, ...]]:
    """Line, device id, time, longitude, latitude, altitude, accuracy; doubles to the last bit."""
    line, device, time, *doubles = (column.tolist() for column in columns[:7])
    named = [device_ids[slot] for slot in device]
    return list(
        zip(line, named, time, *([float.hex(each) for each in column] for column in doubles), strict=True)
    )


def judged(line: bytes) -> Row | None:
    """The position in a line as a message would be judged; None if it is refused."""
    try:
        return device_position(payloads.document(line), None, BOUNDS)
    except Fault:
        return None


def assert_taken_as_judged(*lines: bytes) -> None:
    """Each line that the library takes is good, and it finds there what the judgement finds."""
    asked = AskedProperties(["speed", "altitude", "", "航", "none"])
    columns, device_ids = read(*lines, asked=asked.names)
    for (number, *found), text in zip(rows(columns, device_ids), columns.properties, strict=True):
        expected = judged(lines[number])
        assert text == ("" if expected is None else asked.of_properties(expected[6]))
        assert expected is not None, lines[number]
        assert found == [*expected[:2], *map(float.hex, expected[2:6])], lines[number]


def line_of(members: Mapping[str, str]) -> bytes:
    """A line with these members, whose values are texts of JSON."""
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()


USUAL = {
    "deviceId": '"4067f2"',
    "timestamp": '"2018-08-01T05:00:00.000Z"',
    "latitude": "46.679232",
    "longitude": "10.202179",
}

DIGITS = st.text("0123456789", min_size=1, max_size=21)
NUMBERS = st.one_of(
    st.floats(-200, 200).map(repr),
    st.integers(-200, 2**70).map(str),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "-", "+"]),
        st.one_of(st.just("0"), st.integers(1, 10**18).map(str), DIGITS),
        st.one_of(st.just(""), DIGITS.map(".{}".format)),
        st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-330, 330))),
    ),
    st.builds("{}.{}".format, st.integers(-180, 180), DIGITS),
)
TIMES = st.one_of(
    st.datetimes().map(lambda at: f'"{at.isoformat(timespec="milliseconds")}Z"'),
    st.datetimes().map(lambda at: f'"{at.isoformat()}Z"'),
    st.datetimes().map(lambda at: f'"{at.isoformat()}+02:00"'),
    st.builds(
        '"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z"'.format,
        st.integers(0, 9999),
        *(st.integers(0, most) for most in (13, 32, 25, 61, 61)),
        st.one_of(st.just(""), DIGITS.map(".{}".format)),
    ),
    st.floats(0, 3e14).map(repr),
    st.builds("{}.{}".format, st.integers(0, 300_000_000_000), DIGITS),
    st.integers(-(10**14), 3 * 10**14).map(str),
    NUMBERS,
)
VALUES = st.recursive(
    st.sampled_from(
        ["null", "true", "false", '"a"', '""', '"航"', '"\\u00e9"', '"\t"', "nul", "01", "-", "1.", ".5"]
    )
    | NUMBERS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, max_size=3).map(
            lambda items: "{" + " ,".join(f'"x" : {item}' for item in items) + "}"
        ),
    ),
    max_leaves=8,
)
MEMBERS: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "deviceId": st.sampled_from(['"b"', '"航空機"', '"a b"', '""', "null", "1", f'"{"a" * 101}"']),
        "timestamp": TIMES,
        "latitude": NUMBERS,
        "longitude": NUMBERS,
        "altitude": VALUES,
        "accuracy": VALUES,
        "speed": VALUES,
        "": VALUES,
    },
)


@given(st.lists(MEMBERS, max_size=5))
@settings(max_examples=500, deadline=None)
@example([{"altitude": "-0.0"}])
@example([{"latitude": "5e-324", "longitude": "-1e-22", "altitude": "9007199254740993", "accuracy": "1e23"}])
def test_what_is_read_in_c_is_what_is_read_without(members: list[dict[str, str]]) -> None:
    assert_taken_as_judged(*(line_of(USUAL | each) for each in members))


DOUBLES = st.floats(-1e90, 1e90).filter(lambda value: value == 0 or abs(value) > 1e-90)


@given(
    st.floats(-180, 180),
    st.floats(-90, 90),
    DOUBLES,
    st.datetimes(datetime(100, 1, 1), datetime(2033, 1, 1)),  # noqa: DTZ001 - as hypothesis wants them
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
@settings(max_examples=500, deadline=None)
def test_doubles_and_times_are_taken_to_the_last_bit(
    longitude: float, latitude: float, altitude: float, at: datetime, precision: str
) -> None:
    line = line_of(
        USUAL
        | {"timestamp": f'"{at.isoformat(timespec=precision)}Z"', "altitude": repr(altitude + 0.0)}
        | {"longitude": repr(round(longitude, 90) + 0.0), "latitude": repr(round(latitude, 90) + 0.0)}
    )

    assert len(rows(*read(line))) == 1
    assert_taken_as_judged(line)


@given(
    st.permutations([*USUAL.items(), ("altitude", "432"), ("callsign", '"TOM2XE"'), ("tags", '{"a":[1]}')]),
    st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=2), st.integers(0, 3)), max_size=3),
)
@settings(max_examples=500, deadline=None)
def test_bytes_changed_anywhere_never_yield_a_position_that_is_not_there(
    members: list[tuple[str, str]], changes: list[tuple[int, bytes, int]]
) -> None:
    line = line_of(dict(members))
    for at, added, removed in changes:
        line = line[:at] + added.replace(b"\n", b" ") + line[at + removed :]
    if line.isascii():  # as `usual_columns` asks for, of the whole chunk
        assert_taken_as_judged(line, line_of(USUAL), line)


@pytest.mark.parametrize("item", [*GOOD_ITEMS, *BAD_ITEMS])
def test_lines_that_devices_might_send_are_taken_as_judged_or_left(item: str) -> None:
    if item.isprintable():
        assert_taken_as_judged(raw(item), line_of(USUAL))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"timestamp": '"2018-08-01T05:00:00Z"'},
        {"timestamp": '"2020-02-29T23:59:59.123456Z"'},
        {"timestamp": '"0100-03-01T00:00:00.000Z"'},
        {"timestamp": "1533100000"},
        {"timestamp": "1533100000.123"},
        {"timestamp": "1533100000.12345"},
        {"timestamp": "1533100000123"},
        {"latitude": "-90", "longitude": "180"},
        {"latitude": "46.67923212345678", "longitude": "1e1"},
        {"altitude": "null", "accuracy": "null"},
        {"altitude": "11582.4", "accuracy": "0"},
        {"callsign": '"TOM2XE"', "航": '"空"', "tags": '{"a":[1, -2.5e-3, true, false, null, {}, []]}'},
        {"id": "12345678901234567890123"},
    ],
    ids=str,
)
def test_usual_lines_are_all_taken(members: dict[str, str]) -> None:
    lines = line_of(USUAL | members), b"{ %s }" % line_of(USUAL | members).replace(b'":', b'" : ')[1:-1]

    assert [each[0] for each in rows(*read(*lines))] == [0, 1]
    assert_taken_as_judged(*lines)


def test_columns_that_no_line_has_are_unknown_in_the_memory_of_one() -> None:
    columns, _ = read(*[line_of(USUAL | {"altitude": "5"})] * 3, altitudes=False)

    for column in (columns.altitude, columns.accuracy):
        assert [math.isnan(value) for value in column.tolist()] == [True] * 3
        assert column.strides == (0,)
    assert columns.properties.tolist() == [""] * 3
    assert columns.line.dtype == columns.sample_time.dtype == np.int64


def test_devices_are_numbered_as_they_come_and_only_those_of_good_lines() -> None:
    ids = ['"b"', '"c"', '"a b"', '"b"', '"d"']
    lines = [line_of(USUAL | {"deviceId": each}) for each in ids]
    lines[1] = line_of(USUAL | {"deviceId": '"c"', "latitude": "91"})

    columns, device_ids = read(*lines)

    assert device_ids == ["b", "d"]
    assert (columns.line.tolist(), columns.device.tolist()) == ([0, 3, 4], [0, 0, 1])


def test_line_is_usual_up_to_1024_bytes_and_16_levels() -> None:
    room = 1024 - len(line_of(USUAL | {"x": '""'}))
    lines = [line_of(USUAL | {"x": f'"{"x" * length}"'}) for length in (room, room + 1)]
    lines += [line_of(USUAL | {"x": "[" * depth + "]" * depth}) for depth in (16, 17)]

    assert read(*lines)[0].line.tolist() == [0, 2]


def test_no_lines_are_no_positions() -> None:
    assert rows(*read()) == []
    assert rows(*read(b"", b"{", b"}")) == []


NOT_LINES: list[tuple[Any, ...]] = [
    (),
    (b"", {}, 0, 1, ()),
    ("", {}, 0, 1, (), {}),
    (bytearray(b"\n"), {}, 0, 1, (), {}),
    (b"\n", [], 0, 1, (), {}),
    (b"\n", {}, "0", 1, (), {}),
    (b"\n", {}, 0, 1.5, (), {}),
    (b"\n", {}, 0, 1, [], {}),
    (b"\n", {}, 0, 1, ("a",), {}),
    (b"\n", {}, 0, 1, (b"a",) * 17, {}),
    (b"\n", {}, 0, 1, (), []),
]


@pytest.mark.parametrize("arguments", NOT_LINES, ids=str)
def test_what_makes_no_sense_is_refused(arguments: tuple[Any, ...]) -> None:
    assert COMPILED is not None
    with pytest.raises(TypeError):
        COMPILED.usual_positions(*arguments)


def test_text_that_does_not_end_with_a_line_is_refused() -> None:
    assert COMPILED is not None
    with pytest.raises(ValueError, match="line end"):
        COMPILED.usual_positions(line_of(USUAL), {}, 0, 1, (), {})
    with pytest.raises(OverflowError):
        COMPILED.usual_positions(b"\n", {}, 0, 1 << 64, (), {})


@pytest.mark.parametrize(("slots", "error"), [({}, KeyError), ({"4067f2": "0"}, TypeError)])
def test_what_the_slots_raise_is_raised(slots: dict[str | None, Any], error: type[Exception]) -> None:
    assert COMPILED is not None
    with pytest.raises(error):
        COMPILED.usual_positions(line_of(USUAL) + b"\n", slots, BOUNDS.earliest, BOUNDS.latest, (), {})
    not_utf8 = line_of(USUAL).replace(b"4067f2", b"\xff")
    with pytest.raises(UnicodeDecodeError):
        COMPILED.usual_positions(not_utf8 + b"\n", slots, BOUNDS.earliest, BOUNDS.latest, (), {})


def test_what_the_texts_raise_is_raised_and_names_that_no_line_can_have_are_not_found() -> None:
    assert COMPILED is not None
    slots, bounds = DeviceSlots(None), (BOUNDS.earliest, BOUNDS.latest)
    with pytest.raises(KeyError):
        COMPILED.usual_positions(line_of(USUAL) + b"\n", slots, *bounds, (b"a",), {})
    names, texts = (b"a" * 2000, b"a", b'"', b"a"), {b"\n1\n\n": "found"}
    line = line_of(USUAL | {"a": "1", "b": "2"}) + b"\n"
    assert COMPILED.usual_positions(line, slots, *bounds, names, texts)[8] == ["found"]
