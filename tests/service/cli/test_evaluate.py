"""`overfly evaluate` on small files: order, refusals, and what it says."""

import gzip
import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
OVERFLY = [sys.executable, "-c", "from service.cli import main; main()"]


def geofence(geofence_id: str, rings: list[list[list[float]]], **properties: object) -> dict[str, object]:
    geometry = {"type": "Polygon", "coordinates": rings}
    return {"type": "Feature", "id": geofence_id, "properties": properties, "geometry": geometry}


def geofence_file(folder: Path, *features: dict[str, object]) -> Path:
    path = folder / "geofences.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def fix(device_id: str, second: int, longitude: float, **others: object) -> str:
    timestamp = f"2018-08-01T05:00:{second:02}Z"
    return json.dumps(
        {"deviceId": device_id, "timestamp": timestamp, "longitude": longitude, "latitude": 5, **others}
    )


def evaluate(geofences: Path, positions: Path, *others: str) -> subprocess.CompletedProcess[str]:
    files = ["--geofences", str(geofences), "--positions", str(positions)]
    return subprocess.run(
        [*OVERFLY, "evaluate", *files, *others], capture_output=True, text=True, check=False
    )


def position_file(folder: Path, *lines: str) -> Path:
    path = folder / "positions.ndjson"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def told(output: str) -> list[tuple[str, str, str, str]]:
    events = map(json.loads, output.splitlines())
    return [
        (event["eventType"], event["deviceId"], event["geofenceId"], event["sampleTime"][17:-1])
        for event in events
    ]


def test_events_come_by_time_device_exit_before_enter_and_geofence_whatever_the_order_of_lines(
    tmp_path: Path,
) -> None:
    geofences = geofence_file(
        tmp_path,
        geofence("west-b", SQUARE),
        geofence("west-a", SQUARE),
        geofence("east", [[[20, 0], [30, 0], [30, 10], [20, 10], [20, 0]]]),
    )
    lines = [fix("b", 2, 25), fix("b", 1, 5), fix("a", 2, 5), fix("a", 1, 15), fix("b", 1, 25)]
    done = evaluate(geofences, position_file(tmp_path, *lines))
    assert done.returncode == 0
    assert told(done.stdout) == [
        ("ENTER", "b", "west-a", "01.000"),
        ("ENTER", "b", "west-b", "01.000"),
        ("ENTER", "a", "west-a", "02.000"),
        ("ENTER", "a", "west-b", "02.000"),
        ("EXIT", "b", "west-a", "02.000"),
        ("EXIT", "b", "west-b", "02.000"),
        ("ENTER", "b", "east", "02.000"),
    ]


def test_gzipped_positions_and_an_output_file_give_the_same_events(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    plain = position_file(tmp_path, fix("x", 1, 5), fix("x", 2, 15))
    packed, output = tmp_path / "positions.ndjson.gz", tmp_path / "events.ndjson"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert evaluate(geofences, packed, "--output", str(output)).stdout == ""
    assert output.read_text() == evaluate(geofences, plain).stdout
    assert len(output.read_text().splitlines()) == 2


def test_refused_lines_are_skipped_and_counted_by_reason_on_stderr(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    lines = [fix("x", 1, 5), "{", fix("x", 2, 5, latitude=91), fix("x", 3, 5, latitude=92), fix("x", 4, 15)]
    done = evaluate(geofences, position_file(tmp_path, *lines))
    assert done.returncode == 0
    assert len(told(done.stdout)) == 2
    assert "2 refused: bad_latitude" in done.stderr
    assert "1 refused: bad_json" in done.stderr
    assert "line 3: bad_latitude" in done.stderr
    assert "2 positions of 1 device, 1 geofence: 2 events" in done.stderr


def test_strict_fails_on_a_refused_line_and_writes_no_event(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    done = evaluate(geofences, position_file(tmp_path, fix("x", 1, 5), "{"), "--strict")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--strict" in done.stderr
    assert "line 2: bad_json" in done.stderr


def test_positions_of_any_past_or_future_time_are_taken(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    times = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
    lines = [fix("x", 0, 5 if number % 2 else 15, timestamp=time) for number, time in enumerate(times)]
    events = [
        json.loads(line) for line in evaluate(geofences, position_file(tmp_path, *lines)).stdout.splitlines()
    ]
    assert [event["sampleTime"] for event in events] == [
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59.999Z",
    ]


def test_faulty_geofences_are_all_named_with_exit_status_1(tmp_path: Path) -> None:
    bow_tie = geofence("tie", [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]])
    open_ring = geofence("open", [SQUARE[0][:-1]])
    done = evaluate(geofence_file(tmp_path, bow_tie, open_ring), position_file(tmp_path, fix("x", 1, 5)))
    assert (done.returncode, done.stdout) == (1, "")
    assert "has 2 faults" in done.stderr
    assert "feature 0 (id tie), polygon 0 ring 0, vertex 0" in done.stderr
    assert "feature 1 (id open), polygon 0 ring 0, vertex 3" in done.stderr
    assert "Traceback" not in done.stderr


def test_file_that_is_not_there_is_said_with_exit_status_2(tmp_path: Path) -> None:
    done = evaluate(tmp_path / "none.geojson", position_file(tmp_path, fix("x", 1, 5)))
    assert done.returncode == 2
    assert "does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_output_that_cannot_be_written_and_a_broken_gzip_are_said_in_a_sentence(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    positions = position_file(tmp_path, fix("x", 1, 5))
    done = evaluate(geofences, positions, "--output", str(tmp_path / "no" / "folder.ndjson"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    broken = tmp_path / "positions.ndjson.gz"
    broken.write_bytes(b"not gzip")
    done = evaluate(geofences, broken)
    assert done.returncode == 1
    assert "gzip" in done.stderr
    assert "Traceback" not in done.stderr


def test_output_onto_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    done = evaluate(geofences, position_file(tmp_path, fix("x", 1, 5)), "--output", "/dev/full")
    assert done.returncode == 1
    assert "/dev/full cannot be written: No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_positions_give_no_events(tmp_path: Path) -> None:
    done = evaluate(geofence_file(tmp_path), position_file(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 positions of 0 devices, 0 geofences: 0 events" in done.stderr


def test_reader_that_stops_early_is_no_crash(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    lines = [fix(f"d{number}", 1, 5) for number in range(20_000)]
    files = ["--geofences", str(geofences), "--positions", str(position_file(tmp_path, *lines))]
    with subprocess.Popen(
        [*OVERFLY, "evaluate", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_a_geofence_that_is_driven_through_between_positions_counts_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    positions = position_file(tmp_path, fix("x", 0, -5), fix("x", 40, 15), fix("x", 50, 5))
    assert evaluate(geofences, positions).stdout.count('"eventType"') == 1
    joined = evaluate(geofences, positions, "--crossing", "segment", "--max-speed", "1e6")
    assert told(joined.stdout) == [
        ("ENTER", "x", "a", "10.000"),
        ("EXIT", "x", "a", "30.000"),
        ("ENTER", "x", "a", "45.000"),
    ]
    assert joined.stdout.count('"interpolated":true') == 3
    short = evaluate(geofences, positions, "--crossing", "segment", "--max-speed", "1e6", "--max-gap", "10")
    assert told(short.stdout) == [("ENTER", "x", "a", "45.000")]
    slow = evaluate(geofences, positions, "--crossing", "segment", "--max-speed", "100")
    assert told(slow.stdout) == [("ENTER", "x", "a", "50.000")]


def test_positions_count_only_with_the_properties_and_at_the_times_that_geofences_ask_for(
    tmp_path: Path,
) -> None:
    asked = {"callsign": ["SWR*"], "altitude": ["400*"]}
    hours = {"open": ["07:00", "24:00"], "closed": ["00:00", "07:00"]}  # the positions are of 07:00
    zurich = {
        name: {"zone": "Europe/Zurich", "weekly": {"wednesday": [each]}} for name, each in hours.items()
    }
    geofences = geofence_file(
        tmp_path,
        geofence("swiss", SQUARE, deviceProperties=asked, minAltitude=300),
        *(geofence(name, SQUARE, schedule=schedule) for name, schedule in zurich.items()),
    )
    lines = [
        fix("x", 1, 5, callsign="SWR1", altitude=400.5),
        fix("x", 2, 5, callsign="EDW1", altitude=400.5),
        fix("x", 3, 5, altitude=4000, callsign="SWR\u00e9"),
        fix("x", 4, 5, altitude=500, callsign="SWR1"),
        fix("x", 5, 5, callsign="SWR1"),
    ]
    assert told(evaluate(geofences, position_file(tmp_path, *lines)).stdout) == [
        ("ENTER", "x", "open", "01.000"),
        ("ENTER", "x", "swiss", "01.000"),
        ("EXIT", "x", "swiss", "02.000"),
        ("ENTER", "x", "swiss", "03.000"),
        ("EXIT", "x", "swiss", "04.000"),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-gap", "5"), "expected --max-gap and --max-speed with --crossing segment only"),
        (("--crossing", "segment", "--max-gap", "0"), "--max-gap 0: expected seconds from 0.001 to 86,400"),
        (
            ("--crossing", "segment", "--max-speed", "-1"),
            "--max-speed -1: expected metres per second above 0",
        ),
        (("--crossing", "line"), "'line' is not one of 'fix', 'segment'"),
    ],
)
def test_a_crossing_that_cannot_be_is_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = evaluate(geofence_file(tmp_path), position_file(tmp_path), *options)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_the_example_of_the_document_gives_the_events_that_it_shows(repository: Path, tmp_path: Path) -> None:
    document = (repository / "docs/geofences.md").read_text(encoding="utf-8")
    section = document.split("\n## Between positions\n")[1]
    *_, commands = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    (shown,) = re.findall(r"```\n(\"eventType.*?)```", section, re.DOTALL)
    overfly = Path(sys.executable).with_name("overfly")
    done = subprocess.run(
        ["sh", "-euc", commands.replace(".venv/bin/overfly", str(overfly))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == shown


def test_files_of_days_with_a_state_give_the_events_of_one_file(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    days = [[fix("x", 1, 5), fix("y", 2, 15)], [fix("x", 3, 6), fix("y", 4, 5)], [fix("x", 5, 15)]]
    whole = evaluate(geofences, position_file(tmp_path, *days[0], *days[1], *days[2])).stdout
    state = ("--state", str(tmp_path / "state"))

    told_by_day = [evaluate(geofences, position_file(tmp_path, *day), *state).stdout for day in days]

    assert "".join(told_by_day) == whole
    assert [len(each.splitlines()) for each in told_by_day] == [1, 1, 1]


def test_visits_and_paths_go_on_from_one_file_to_the_next(tmp_path: Path) -> None:
    geofences = geofence_file(
        tmp_path, geofence("a", SQUARE), geofence("long", SQUARE, dwellSeconds=20, exitAfterSeconds=30)
    )
    days = [[fix("x", 0, -5)], [fix("x", 10, 5)], [fix("x", 20, 15), fix("x", 35, 5)], [fix("x", 50, 15)]]
    joined = ("--crossing", "segment", "--max-speed", "1e6")
    whole = evaluate(geofences, position_file(tmp_path, *chain.from_iterable(days)), *joined).stdout
    state = ("--state", str(tmp_path / "state"), *joined)

    told_by_day = [evaluate(geofences, position_file(tmp_path, *day), *state).stdout for day in days]

    assert "".join(told_by_day) == whole
    assert [kind for kind, _, name, _ in told(whole) if name == "long"] == ["ENTER", "DWELL"]
    other = evaluate(geofences, position_file(tmp_path, fix("x", 59, 5)), *state[:2])
    assert other.returncode == 1
    assert "geofences were crossed otherwise: expected --crossing segment" in " ".join(other.stderr.split())


def test_positions_not_after_those_of_an_earlier_file_are_left_out_and_counted(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    state = ("--state", str(tmp_path / "state"))
    evaluate(geofences, position_file(tmp_path, fix("x", 5, 5)), *state)
    again = evaluate(
        geofences, position_file(tmp_path, fix("x", 4, 15), fix("x", 5, 15), fix("x", 6, 5)), *state
    )
    assert again.stdout == ""
    assert f"2 positions left out: not after what {tmp_path / 'state'} has of the device" in again.stderr


def test_state_stays_as_it_was_when_events_cannot_be_written_or_lines_are_refused(tmp_path: Path) -> None:
    geofences = geofence_file(tmp_path, geofence("a", SQUARE))
    state = tmp_path / "state"
    evaluate(geofences, position_file(tmp_path, fix("x", 1, 5)), "--state", str(state))
    before = state.read_bytes()
    positions = position_file(tmp_path, fix("x", 2, 15), "{")
    for others in (["--output", "/dev/full"], ["--strict"]):
        assert evaluate(geofences, positions, "--state", str(state), *others).returncode == 1
        assert state.read_bytes() == before


def test_state_of_other_geofences_is_refused_before_the_output_is_touched(tmp_path: Path) -> None:
    state, output = tmp_path / "state", tmp_path / "events.ndjson"
    positions = position_file(tmp_path, fix("x", 1, 5))
    evaluate(geofence_file(tmp_path, geofence("a", SQUARE)), positions, "--state", str(state))
    output.write_text("of yesterday\n")
    others = ["--state", str(state), "--output", str(output)]
    done = evaluate(geofence_file(tmp_path, geofence("b", SQUARE)), positions, *others)
    assert done.returncode == 1
    assert "it is of other geofences: a is not among these, b was not there" in " ".join(done.stderr.split())
    assert output.read_text() == "of yesterday\n"
