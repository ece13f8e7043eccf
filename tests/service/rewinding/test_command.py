"""`overfly evaluate --revisions`: what it says, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from service.cli.evaluate import register
from service.errors import Refused

LINK = {"revision": 1, "kind": "link", "trackerName": "default", "collectionName": "default"}
CIRCLE = {"type": "Point", "coordinates": [10, 46]}
PUT = {
    "revision": 2,
    "kind": "put",
    "collectionName": "default",
    "geofenceId": "a",
    "feature": {"type": "Feature", "geometry": CIRCLE, "properties": {"radius": 500}},
}


def fix(time: int, longitude: float, **more: Any) -> dict[str, Any]:
    return {
        "trackerName": "default",
        "deviceId": "x",
        "sampleTime": f"2018-08-01T05:00:{time:02}Z",
        "position": [longitude, 46],
        "revision": 2,
        **more,
    }


def evaluate(folder: Path, fixes: list[Any], revisions: list[Any], *more: str) -> Result:
    arguments = []
    for option, lines in (("--positions", fixes), ("--revisions", revisions)):
        path = folder / option.strip("-")
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        arguments += [option, str(path)]
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [*arguments, *more])


def test_lines_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    fixes = [
        fix(1, 10),
        fix(1, 11),
        fix(2, 181),
        fix(3, 11, revision=7),
        fix(4, 11, revision=None),
        fix(5, 11),
    ]
    done = evaluate(tmp_path, fixes, [LINK, PUT])
    assert done.exit_code == 0
    assert [json.loads(line)["eventType"] for line in done.stdout.splitlines()] == ["ENTER", "EXIT"]
    assert done.stderr.splitlines() == [
        "line 3: bad_position: position[0] 181 at line 3: expected float <= 180.0",
        "line 4: unknown_revision: revision 7 at line 4: "
        "expected one that the file of revisions has: export both again",
        "1 refused: bad_position",
        "1 refused: unknown_revision",
        "1 position left out: another of its device and time came first",
        "1 position left out: late, so never evaluated",
        "3 positions of 1 device, 2 revisions: 2 events",
    ]


def test_strict_takes_no_bad_line(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [fix(1, 10), fix(2, 181)], [LINK, PUT], "--strict")
    assert isinstance(done.exception, Refused)
    assert "1 lines refused, and --strict takes none" in str(done.exception)
    assert done.stdout == ""


def test_faulty_revisions_end_it_with_every_fault_named(tmp_path: Path) -> None:
    inside_out = {**PUT, "feature": {**PUT["feature"], "properties": {"radius": -1}}}
    unknown = {**PUT, "kind": "tie"}
    collection = {"revision": 2, "kind": "collection", "collectionName": "default", "maxSpeed": 1000}
    wrong = {**collection, "crossing": "segment", "maxGapSeconds": 0}
    done = evaluate(tmp_path, [fix(1, 10)], [LINK, inside_out, unknown, collection, wrong])
    assert isinstance(done.exception, Refused)
    first, second, *others = str(done.exception).splitlines()
    assert first.endswith("revisions has 5 faults:")
    assert second.startswith("  line 2: ")
    assert "radius" in second
    assert others == [
        '  line 3: bad_kind: kind "tie" at line 3: expected one of put, delete, link, unlink, collection',
        "  line 4: bad_crossing: crossing null at line 4: expected that of the collection",
        "  line 4: bad_max_gap_seconds: maxGapSeconds null at line 4: expected that of the collection",
        "  line 5: bad_max_gap_seconds: maxGapSeconds 0 at line 5: expected seconds from 0.001 to 86,400",
    ]


@pytest.mark.parametrize("more", [[], ["--geofences", "{file}", "--revisions", "{file}"]])
def test_one_of_geofences_and_revisions_is_expected(tmp_path: Path, more: list[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    app = typer.Typer()
    register(app)
    done = CliRunner().invoke(app, ["--positions", str(file), *(each.format(file=file) for each in more)])
    assert done.exit_code == 2
    assert "expected one of --geofences and --revisions" in done.stderr


def test_how_geofences_are_crossed_is_for_the_revisions_to_say(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [fix(1, 10)], [LINK, PUT], "--crossing", "segment")
    assert done.exit_code == 2
    assert "the revisions say how geofences were crossed" in " ".join(done.stderr.replace("│", " ").split())


def test_a_collection_is_crossed_as_it_was_at_each_revision(tmp_path: Path) -> None:
    rule = {"kind": "collection", "collectionName": "default", "maxGapSeconds": 60, "maxSpeed": 1e6}
    revisions = [LINK, PUT, {**rule, "revision": 3, "crossing": "segment"}]
    revisions.append({**rule, "revision": 4, "crossing": "fix"})
    fixes = [
        fix(time, longitude, revision=revision)
        for time, longitude, revision in ((0, 9, 2), (10, 11, 3), (20, 9, 3), (30, 11, 4))
    ]
    done = evaluate(tmp_path, fixes, revisions)
    events = list(map(json.loads, done.stdout.splitlines()))
    assert [(event["eventType"], event["interpolated"]) for event in events] == [
        ("ENTER", True),
        ("EXIT", True),
    ] * 2
    assert [event["sampleTime"][17:19] for event in events] == ["04", "05", "14", "15"]


def test_volumes_rewind_with_the_altitude_that_was_reported(tmp_path: Path) -> None:
    volume = {**PUT, "feature": {**PUT["feature"], "properties": {"radius": 500, "minAltitude": 100}}}
    heights = [{"altitude": 99}, {"altitude": 100}, {}, {"altitude": 300}]
    fixes = [fix(time, 10, properties=reported) for time, reported in enumerate(heights)]
    done = evaluate(tmp_path, fixes, [LINK, volume])
    assert [json.loads(line)["eventType"] for line in done.stdout.splitlines()] == ["ENTER", "EXIT", "ENTER"]
    inside = evaluate(tmp_path, fixes, [LINK, volume], "--unknown-altitude", "inside")
    assert [json.loads(line)["eventType"] for line in inside.stdout.splitlines()] == ["ENTER"]
