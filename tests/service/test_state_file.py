"""A state kept in a file between two evaluations: as if they were one; what is no such file is refused."""

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.geofence import Geofence
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import LineReader, OfflinePositions
from service.carried_state import CarriedState, Terms
from service.crossing_rule import SEGMENT, CrossingRule
from service.errors import Refused
from service.offline_evaluation import evaluated, event_lines
from service.state_file import read_state_file, write_state_file


def fence(geofence_id: str, west: int, conditions: Conditions = UNCONDITIONAL) -> Geofence:
    return Geofence(geofence_id, shapely.box(west, 0, west + 3, 2), None, {}, conditions)


FENCES = [
    fence("plain", 0),
    fence("wide", 2),
    fence("high", 1, Conditions(min_altitude=100.0)),
    fence("exact", 1, Conditions(max_accuracy=20.0)),
    fence("zürich-1", 0, Conditions(devices=("a*",))),
    fence("stay", 1, Conditions(dwell_seconds=5.0, exit_after_seconds=4.0)),
]

RULE = CrossingRule(SEGMENT, max_gap=20_000, max_speed=1e6)

FIXES = st.lists(
    st.fixed_dictionaries(
        {
            "deviceId": st.sampled_from(["a", "a2", "b", "ü"]),
            "timestamp": st.integers(1_000, 1_040),
            "longitude": st.integers(-1, 6),
            "latitude": st.sampled_from([1, 1, 5]),
        },
        optional={"altitude": st.sampled_from([50, 100, 200]), "accuracy": st.sampled_from([5, 50])},
    ),
    max_size=40,
)


def positions(fixes: Sequence[dict[str, object]]) -> OfflinePositions:
    reader = LineReader(DecodeLimits(max_ahead=None), altitudes=True)
    reader.read(io.BytesIO("".join(f"{json.dumps(fix)}\n" for fix in fixes).encode()).read)
    return reader.positions()


def events(
    fixes: Sequence[dict[str, object]], fences: Sequence[Geofence], carried: CarriedState | None = None
) -> bytes:
    read = positions(fixes)
    return b"".join(event_lines(evaluated(read, fences, rule=RULE, carried=carried), read, fences))


def terms(fences: Sequence[Geofence] = FENCES, *, unknown_altitude_inside: bool = False) -> Terms:
    return Terms.of(fences, RULE, unknown_altitude_inside=unknown_altitude_inside)


def some_state() -> CarriedState:
    carried = CarriedState()
    fix = {"timestamp": 1_000, "longitude": 2, "latitude": 1}
    events([{**fix, "deviceId": "a"}, {**fix, "deviceId": "b"}], FENCES, carried)
    return carried


@given(fixes=FIXES, cuts=st.sets(st.integers(1_001, 1_040), max_size=4), data=st.data())
@settings(max_examples=40, deadline=None)
def test_files_evaluated_one_after_the_other_give_the_events_of_all_at_once(
    fixes: list[dict[str, int]], cuts: set[int], data: st.DataObject
) -> None:
    days = [
        [fix for fix in fixes if start <= fix["timestamp"] < end]
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), 2_000], strict=True)
    ]
    found = b""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        carried = CarriedState()
        for day in days:
            fences = data.draw(st.permutations(FENCES))
            carried = read_state_file(path, terms(fences)) if path.exists() else carried
            found += events(day, fences, carried)
            write_state_file(path, carried, terms(fences))

    # an interpolated event may be earlier than the last ones of the file before
    assert sorted(found.splitlines()) == sorted(events(fixes, FENCES).splitlines())


def test_same_state_is_the_same_file_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    first = path.read_bytes()

    write_state_file(path, read_state_file(path, terms()), terms())

    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_link_goes_on_leading_to_the_state(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "state"
    link.symlink_to(tmp_path / "disk" / "state")

    write_state_file(link, some_state(), terms())

    assert link.is_symlink()
    assert read_state_file(link, terms()).device_ids == ["a", "b"]


def refusal(path: Path, now: Terms | None = None) -> str:
    with pytest.raises(Refused) as refused:
        read_state_file(path, now or terms())
    return str(refused.value).removeprefix(str(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}\n" * 50, b"\x1f\x8b" + b"0" * 100])
def test_file_that_is_something_else_is_refused_as_that(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(content)
    assert refusal(path).startswith(" is no state: expected what `overfly evaluate --state` wrote")


def test_archive_of_other_columns_is_refused_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    np.savez(path, head=np.arange(3))
    assert " is no state: " in refusal(path)
    np.savez(path, other=np.arange(3))
    assert " is no state: " in refusal(path)


def test_file_of_another_version_is_refused_with_both_named(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    rewrite(path, head=np.frombuffer(b'{"format": "overfly state", "version": 2}', np.uint8))
    assert refusal(path).startswith(" has version 2 of its format: expected 1.")


def test_folder_is_refused_as_it_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path) == " cannot be read: Is a directory"


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_file_cut_short_or_changed_anywhere_is_refused_or_the_same(data: st.DataObject) -> None:
    carried = some_state()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        write_state_file(path, carried, terms())
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] ^= data.draw(st.integers(1, 255))
        else:
            del content[place:]
        path.write_bytes(content)
        try:
            again = read_state_file(path, terms())
        except Refused as refused:
            assert "damaged" in str(refused) or "is no state" in str(refused)
            return
    assert again.device_ids == carried.device_ids
    kept, taken_up = carried.state.snapshot().named(), again.state.snapshot().named()
    for name, column in kept.items():
        np.testing.assert_array_equal(taken_up[name], column, err_msg=name)


def test_part_that_seems_encrypted_or_before_the_files_beginning_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    content = path.read_bytes()
    entries = [place for place in range(len(content)) if content.startswith(b"PK\x01\x02", place)]
    end = content.rindex(b"PK\x05\x06")
    changes = [(entry + 8, 1) for entry in entries] + [(end + 18, 128), (end + 12, 128)]
    assert len(changes) > 10
    for place, bits in changes:
        changed = bytearray(content)
        changed[place] ^= bits
        path.write_bytes(changed)
        assert "damaged" in refusal(path) or "is no state" in refusal(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000000000000000000,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "(" * 5_000,
        "[" * 200 + "]" * 200,
    ],
)
def test_part_whose_header_asks_for_what_cannot_be_is_damage(tmp_path: Path, header: str) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = header.encode() + b"\n"
    parts["watermark.npy"] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        ("watermark", np.zeros(3, np.int64), "inside_count has 2 values: expected 3, one a device"),
        ("device_ids", np.frombuffer(b"a", np.uint8), "1 devices for 2 watermarks"),
        ("device_ids", np.frombuffer(b"a\na", np.uint8), "1 devices for 2 watermarks"),
        ("geofence_marks", np.zeros((1, 16), np.uint8), "1 marks of 6 geofences"),
        ("geofence_marks", np.zeros((6, 8), np.uint8), "marks hold uint8 (6, 8)"),
        ("inside_geofence", np.full(9, 7, np.int32), "inside_geofence has a key that is none"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(
    tmp_path: Path, name: str, values: np.ndarray, problem: str
) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    rewrite(path, **{name: values})
    assert problem in refusal(path)


def test_column_that_is_missing_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    rewrite(path, without="watermark")
    assert " is cut short or damaged ('watermark')" in refusal(path)


@pytest.mark.parametrize(
    ("now", "difference"),
    [
        (FENCES[1:], "plain is not among these"),
        ([*FENCES, fence("new", 9)], "new was not there"),
        ([fence("plain", 1), *FENCES[1:]], "plain was another"),
        ([fence("plain", 0, Conditions(max_altitude=9.0)), *FENCES[1:]], "plain was another"),
        ([], "exact is not among these, high is not among these, plain is not among these and 3 more"),
    ],
)
def test_state_of_other_geofences_is_refused_with_the_first_that_differ(
    tmp_path: Path, now: list[Geofence], difference: str
) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    expected = f" cannot be carried on: it is of other geofences: {difference}: expected the same as before"
    assert refusal(path, terms(now)) == expected


def test_geofence_of_another_name_alone_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms())
    named = Geofence("plain", FENCES[0].geometry, None, {"name": "Plain"}, FENCES[0].conditions)
    assert read_state_file(path, terms([named, *FENCES[1:]])).device_ids == ["a", "b"]


def test_state_found_with_another_setting_for_unknown_altitudes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_state_file(path, some_state(), terms(unknown_altitude_inside=True))
    assert refusal(path).endswith("expected --unknown-altitude inside")


def test_state_that_finds_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "none" / "state"
    with pytest.raises(Refused, match=r"none/state cannot be written: No such file"):
        write_state_file(path, some_state(), terms())


def rewrite(path: Path, without: str = "", **others: np.ndarray) -> None:
    """The same file with other columns in the place of some."""
    with np.load(path) as archive:
        parts = {name: archive[name] for name in archive.files if name != without}
    with path.open("wb") as file:
        np.savez(file, **{**parts, **others})
    assert zipfile.is_zipfile(path)
