"""Bad lines of an export are named by number and member; they are no crash, whatever they are."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rewinding.fixes import ExportedFixes, read_fixes
from service.rewinding.lines import LineFaults
from service.rewinding.revisions import ExportedRevisions, read_revisions

FIX = {
    "trackerName": "default",
    "deviceId": "x",
    "sampleTime": "2018-08-01T05:00:00.000Z",
    "receivedTime": "2018-08-01T05:00:00.100Z",
    "position": [10.2, 46.68],
    "accuracy": None,
    "properties": {"altitude": 11582.4},
    "late": False,
    "revision": 2,
}
PUT = {
    "revision": 2,
    "kind": "put",
    "committedTime": "2018-08-01T05:00:00.100Z",
    "trackerName": None,
    "collectionName": "default",
    "geofenceId": "a",
    "feature": {
        "type": "Feature",
        "id": "a",
        "properties": {"radius": 500},
        "geometry": {"type": "Point", "coordinates": [10, 46]},
    },
}
LINK = {**PUT, "kind": "link", "trackerName": "default", "geofenceId": None, "feature": None}


def written(path: Path, *lines: Any) -> Path:
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return path


def fixes_of(path: Path, *lines: Any) -> tuple[ExportedFixes, list[str]]:
    faults = LineFaults(9)
    history = read_revisions(written(path / "revisions", PUT), faults)
    fixes = read_fixes(written(path / "fixes", *lines), history, faults)
    return fixes, list(map(str, faults.first))


def revisions_of(path: Path, *lines: Any) -> tuple[ExportedRevisions, list[str]]:
    faults = LineFaults(9)
    return read_revisions(written(path / "revisions", *lines), faults), list(map(str, faults.first))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", 'bad_json: "{" at line 2: expected one JSON object'),
        (b"[]", 'not_object: "[]" at line 2: expected an object'),
        (
            {**FIX, "position": [10.2, 91.2]},
            "bad_position: position[1] 91.2 at line 2: expected float <= 90.0",
        ),
        (
            {**FIX, "position": [10.2]},
            "bad_position: position an array at line 2: expected array of length 2",
        ),
        ({**FIX, "deviceId": "a b"}, 'bad_device_id: deviceId "a b" at line 2: expected 1 to 100 letters'),
        ({**FIX, "trackerName": ""}, 'bad_tracker_name: trackerName "" at line 2: expected 1 to 100 letters'),
        ({**FIX, "sampleTime": "noon"}, 'bad_sample_time: sampleTime "noon" at line 2: expected ISO 8601'),
        ({**FIX, "revision": 3}, "unknown_revision: revision 3 at line 2: expected one that the file of"),
        ({**FIX, "accuracy": -1}, "bad_accuracy: accuracy -1 at line 2: expected float >= 0.0"),
        ({"deviceId": "x"}, "missing: no trackerName at line 2: expected it in every line"),
    ],
)
def test_a_bad_fix_is_named_by_line_and_member_and_the_others_are_taken(
    tmp_path: Path, line: Any, fault: str
) -> None:
    fixes, faults = fixes_of(tmp_path, FIX, line, b"", {**FIX, "deviceId": "y"})
    assert len(faults) == 1
    assert faults[0].startswith(f"line 2: {fault}")
    assert fixes.trackers["default"].device_ids == ["x", "y"]


def test_the_columns_of_a_fix_are_what_it_says(tmp_path: Path) -> None:
    plain = {**FIX, "accuracy": 7, "properties": {"altitude": "high"}}
    fixes, _ = fixes_of(tmp_path, FIX, plain, {**FIX, "trackerName": "ships", "revision": None, "late": True})
    of_default = fixes.trackers["default"]
    assert of_default.sample_time.tolist() == [1533099600000] * 2
    assert (of_default.longitude.tolist(), of_default.latitude.tolist()) == ([10.2] * 2, [46.68] * 2)
    assert str(of_default.altitude.tolist()) == "[11582.4, nan]"
    assert str(of_default.accuracy.tolist()) == "[nan, 7.0]"
    assert of_default.revision.tolist() == [2, 2]
    assert (len(fixes), fixes.unmet) == (2, 1)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"7", 'not_object: "7" at line 2: expected an object'),
        ({**PUT, "kind": "move"}, 'bad_kind: kind "move" at line 2: '),
        ({**PUT, "revision": 1}, "bad_revision: revision 1 at line 2: expected 2 or more, as lines come by"),
        (
            {**PUT, "geofenceId": None},
            "bad_geofence_id: geofenceId null at line 2: expected 1 to 100 letters",
        ),
        ({**LINK, "trackerName": "a b"}, 'bad_tracker_name: trackerName "a b" at line 2: expected 1 to 100'),
        ({**PUT, "collectionName": None}, "bad_collection_name: collectionName null at line 2: expected"),
        ({**PUT, "feature": None}, "feature of geofence a at line 2: "),
        ({**PUT, "feature": {**PUT["feature"], "geometry": None}}, "feature of geofence a at line 2: "),
    ],
)
def test_a_bad_change_is_named_by_line_and_member(tmp_path: Path, line: Any, fault: str) -> None:
    _, faults = revisions_of(tmp_path, LINK, line, PUT)
    assert len(faults) == 1
    assert fault in faults[0]


def test_a_change_that_names_nothing_is_only_a_number(tmp_path: Path) -> None:
    gone = {**LINK, "revision": 3, "trackerName": None, "collectionName": None}
    history, faults = revisions_of(tmp_path, LINK, PUT, gone)
    assert (history.numbers.tolist(), len(history.changes), faults) == ([2, 3], 2, [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*FIX, *PUT]), JSON), st.booleans())
def test_no_line_is_a_crash(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, Any], of_fix: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.mkdir(exist_ok=True)
    if of_fix:
        fixes, faults = fixes_of(path, {**FIX, **members})
        assert len(fixes) + fixes.unmet + len(faults) == 1
    else:
        history, faults = revisions_of(path, {**PUT, **members})
        assert len(history.numbers) + len(faults) >= 1


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_longer_than_a_block_are_read_whole(tmp_path: Path, end: bytes) -> None:
    long = {**FIX, "properties": {"text": "x" * 1_500_000}}
    path = written(tmp_path / "fixes", FIX, long, FIX)
    path.write_bytes(path.read_bytes().rstrip() + end)
    faults = LineFaults(9)
    fixes = read_fixes(path, read_revisions(written(tmp_path / "revisions", PUT), faults), faults)
    assert (len(fixes), faults.first) == (3, [])
