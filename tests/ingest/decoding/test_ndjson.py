"""Files of positions: the fast way takes the same lines as the judgement of messages, whatever they hold."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoding import ndjson
from ingest.decoding.decoder import DecodeLimits, decode
from ingest.decoding.ndjson import LineReader, OfflinePositions, UnreadableFile, read_positions
from ingest.decoding.usual_lines import COMPILED, Library
from ingest.messages import Message
from sample_data.flights import FlightFiles
from tests.ingest.decoding.payload_cases import BAD_ITEMS, GOOD, GOOD_ITEMS, raw, with_members

LIMITS = DecodeLimits(max_ahead=600_000, oldest=-2_000_000_000_000)

LINES = st.sampled_from(
    [
        *map(raw, GOOD_ITEMS),
        *(raw(item) for item in BAD_ITEMS if len(item) < 20_000),
        *(b"", b"  ", b"\r", b"{}{}", b"{}", b"[]", GOOD.encode() + b"\r", GOOD.encode() + b" "),
        b"[" + GOOD.encode() + b"]",
        GOOD[:-1].encode() + b"\r}",
        b'{"x":{}',
        GOOD.encode()[:30],
        GOOD.encode()[30:],
    ]
)
MOSTLY_GOOD = st.one_of(*[st.just(GOOD.encode())] * 6, LINES)


WAYS = pytest.mark.parametrize(
    "library",
    [None] if COMPILED is None else [None, COMPILED],
    ids=["python", "compiled"][: 1 + bool(COMPILED)],
)
"""Usual lines are read as all others are, or in C where that was built."""


def read(
    content: bytes, block: int = 1 << 19, topic: str | None = None, library: Library | None = COMPILED
) -> OfflinePositions:
    reader = LineReader(LIMITS, topic, listed=10_000, block=block, altitudes=True, library=library)
    reader.read(io.BytesIO(content).read)
    return reader.positions()


def assert_as_messages(found: OfflinePositions, lines: list[bytes], topic: str | None = None) -> None:
    """The same fixes and refusals as when each line that is not blank is a line of a message."""
    limits = DecodeLimits(max_ahead=LIMITS.max_ahead, oldest=LIMITS.oldest, payload_bytes=1 << 30)
    numbered = [line if line.strip() else b"" for line in lines]
    expected = decode(
        [Message(b"\n" + b"\n".join([*numbered, GOOD.encode(), b"x"]), topic)], 2_000_000_000_000, limits
    )
    bound = [GOOD.encode()] if topic and topic != "aircraft/a/position" else []
    n = len(expected.batch) - (0 if bound else 1)
    assert [found.device_ids[slot] for slot in found.device] == expected.batch.device_id[:n].tolist()
    assert found.sample_time.tolist() == expected.batch.sample_time[:n].tolist()
    assert found.longitude.tolist() == expected.batch.longitude[:n].tolist()
    assert found.latitude.tolist() == expected.batch.latitude[:n].tolist()
    assert np.array_equal(found.altitude, expected.batch.altitude[:n], equal_nan=True)
    assert np.array_equal(found.accuracy, expected.batch.accuracy[:n], equal_nan=True)
    refused = expected.rejects[: -2 if bound else -1]
    assert [(reject.reason, reject.item) for reject in found.first_rejects] == [
        (reject.reason, reject.item - 1) for reject in refused if reject.item is not None
    ]
    assert set(found.device_ids) == set(expected.batch.device_id[:n])


@WAYS
@given(
    lines=st.lists(MOSTLY_GOOD, max_size=60),
    block=st.integers(1, 5000),
    topic=st.sampled_from([None, "aircraft/a/position", "aircraft/b/position"]),
    ended=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_any_mixture_of_lines_in_blocks_of_any_size_is_judged_as_messages_are(
    library: Library | None, lines: list[bytes], block: int, topic: str | None, ended: bool
) -> None:
    content = b"\n".join(lines) + b"\n" * ended

    assert_as_messages(read(content, block, topic, library), lines, topic)


@WAYS
@pytest.mark.parametrize("item", BAD_ITEMS, ids=range(len(BAD_ITEMS)))
def test_bad_line_among_many_good_ones_is_refused_alone(item: str, library: Library | None) -> None:
    lines = [*[GOOD.encode()] * 100, raw(item), *[GOOD.encode()] * 100]

    found = read(b"\n".join(lines), library=library)

    assert (len(found), found.rejects) == (200, {BAD_ITEMS[item]: 1})
    assert found.first_rejects[0].item == 100
    assert found.first_rejects[0].payload == raw(item)[:4096]


@WAYS
def test_bad_lines_of_all_blocks_are_told_in_the_order_of_the_file(library: Library | None) -> None:
    kinds = [item for item in BAD_ITEMS if len(item) < 20_000]
    lines = [GOOD.encode()] * 20_000
    bad = {83 * number: kinds[number % len(kinds)] for number in range(1, 240)}
    for line, item in bad.items():
        lines[line] = raw(item)

    found = read(b"\n".join(lines), library=library)

    assert len(found) == len(lines) - len(bad)
    assert [(each.item, each.reason) for each in found.first_rejects] == [
        (line, BAD_ITEMS[item]) for line, item in bad.items()
    ]
    assert all(
        f"at line {line + 1}: " in each.detail for line, each in zip(bad, found.first_rejects, strict=True)
    )


@WAYS
@pytest.mark.parametrize("item", GOOD_ITEMS, ids=range(len(GOOD_ITEMS)))
def test_good_line_among_many_is_taken(item: str, library: Library | None) -> None:
    found = read(b"\n".join([*[GOOD.encode()] * 100, raw(item), *[GOOD.encode()] * 100]), library=library)

    assert (len(found), found.rejects) == (201, {})


def test_two_objects_on_one_line_do_not_pass_for_two_lines() -> None:
    found = read(b"\n".join([GOOD.encode() * 2, b"", GOOD.encode()]))

    assert (len(found), found.rejects) == (1, {"bad_json": 1})


def test_object_over_two_lines_does_not_pass_for_one() -> None:
    found = read(with_members('"x":{}').encode().replace(b"{}", b"{\n}") + b"\n" + GOOD.encode() * 2)

    assert (len(found), found.rejects) == (0, {"bad_json": 3})


def test_line_above_one_mebibyte_is_refused_with_its_length_and_the_next_ones_are_read() -> None:
    long = with_members('"x":"' + "x" * 3_000_000 + '"').encode()
    for block in (1000, 1 << 19, 1 << 23):
        for lines in ([GOOD.encode(), long, GOOD.encode()], [long], [long, long, GOOD.encode()]):
            found = read(b"\n".join(lines), block)

            assert len(found) == lines.count(GOOD.encode())
            assert found.rejects == {"too_large": lines.count(long)}
            assert f"{len(long):,} bytes" in found.first_rejects[0].detail
            assert found.first_rejects[0].item == lines.index(long)
            assert found.first_rejects[0].payload == long[:4096]


def test_listing_is_bounded_and_counting_is_not() -> None:
    reader = LineReader(LIMITS, listed=3)

    reader.read(io.BytesIO(b"x\n" * 1000).read)

    found = reader.positions()
    assert (found.rejects, [reject.item for reject in found.first_rejects]) == ({"bad_json": 1000}, [0, 1, 2])


def test_only_devices_with_a_good_line_have_a_slot() -> None:
    bad = GOOD.replace('"a"', '"b"').replace('"latitude":1', '"latitude":91')

    assert read(f"{bad}\n{GOOD}".encode()).device_ids == ["a"]


def test_real_flights_are_read_whole(flights: FlightFiles) -> None:
    steps: list[int] = []

    found = read_positions(flights.positions, DecodeLimits(max_ahead=None), steps.append)

    assert (len(found), len(found.device_ids), found.rejects) == (139_098, 842, {})
    assert steps == sorted(steps)
    assert steps[-1] == flights.positions.stat().st_size
    lines = gzip.decompress(flights.positions.read_bytes()).split(b"\n")[:3000]
    expected = decode([Message(b"\n".join(lines))], 2_000_000_000_000, LIMITS).batch
    assert [found.device_ids[slot] for slot in found.device[:3000]] == expected.device_id.tolist()
    assert found.sample_time[:3000].tolist() == expected.sample_time.tolist()
    assert found.longitude[:3000].tolist() == expected.longitude.tolist()
    assert found.latitude[:3000].tolist() == expected.latitude.tolist()


def test_plain_and_gzipped_files_are_the_same_and_an_empty_one_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(GOOD.encode())
    (tmp_path / "b.ndjson.gz").write_bytes(
        gzip.compress(GOOD.encode()) + gzip.compress(b"\n" + GOOD.encode())
    )
    (tmp_path / "c.ndjson").write_bytes(b"")

    lengths = [len(read_positions(path, LIMITS)) for path in sorted(tmp_path.iterdir())]

    assert lengths == [1, 2, 0]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.ndjson", None, "cannot be read: No such file"),
        ("not.ndjson.gz", GOOD.encode(), "not a sound gzip file"),
        ("cut.ndjson.gz", gzip.compress(GOOD.encode() * 9, mtime=0)[:-9], "truncated gzip file"),
        (
            "bad.ndjson.gz",
            gzip.compress(GOOD.encode() * 9, mtime=0)[:-8] + b"12345678",
            "not a sound gzip file",
        ),
    ],
)
def test_file_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=sentence) as raised:
        read_positions(path, LIMITS)

    assert str(path) in str(raised.value)


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Is a directory"):
        read_positions(tmp_path, LIMITS)


def test_damage_anywhere_in_a_gzip_file_is_told(tmp_path: Path) -> None:
    content = gzip.compress(b"\n".join(with_members(f'"x":{n}').encode() for n in range(5000)), mtime=0)
    path = tmp_path / "damaged.gz"
    for place in range(10, len(content), len(content) // 40):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        with pytest.raises(UnreadableFile):
            read_positions(path, LIMITS)


def test_module_names_what_readers_of_files_need() -> None:
    assert {"OfflinePositions", "UnreadableFile", "read_positions"} <= set(ndjson.__all__)
