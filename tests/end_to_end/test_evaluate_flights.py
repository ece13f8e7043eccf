"""`overfly evaluate` on real flights gives the expected events, and nothing else."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from geofence.events import event_id
from ingest.timestamps import EPOCH
from sample_data.flights import FlightFiles

Event = tuple[str, str, str, str]


def events_of(lines: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines]


def told(event: dict[str, object]) -> Event:
    return (
        str(event["eventType"]),
        str(event["deviceId"]),
        str(event["geofenceId"]),
        str(event["sampleTime"]),
    )


def test_evaluate_gives_exactly_the_expected_events_of_real_flights(
    flights: FlightFiles, tmp_path: Path
) -> None:
    output = tmp_path / "events.ndjson"
    files = ["--geofences", str(flights.geofences), "--positions", str(flights.positions)]
    command = [sys.executable, "-c", "from service.cli import main; main()", "evaluate"]
    done = subprocess.run(
        [*command, *files, "--output", str(output)], capture_output=True, text=True, check=True
    )
    assert "139,098 positions of 842 devices, 99 geofences: 22,496 events" in done.stderr

    events = events_of(output.read_bytes().splitlines())
    with gzip.open(flights.expected_events) as lines:
        expected = events_of(lines.readlines())
    assert len(events) == len(expected) == 22_496
    assert set(map(told, events)) == set(map(told, expected))

    with gzip.open(flights.positions) as lines:
        fixes = {(fix["deviceId"], fix["timestamp"]): fix for fix in map(json.loads, lines)}
    assert all(
        event["position"] == [fix["longitude"], fix["latitude"]]
        for event in events
        for fix in [fixes[event["deviceId"], event["sampleTime"]]]
    )
    order = [
        (event["sampleTime"], event["deviceId"], event["eventType"] == "ENTER", event["geofenceId"])
        for event in events
    ]
    assert order == sorted(order)
    assert all(event["eventId"] == _id(event) for event in events)


def test_hours_of_real_flights_one_after_the_other_give_the_events_of_the_day(
    flights: FlightFiles, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from service.cli import main; main()", "evaluate", "--geofences"]
    command += [str(flights.geofences), "--positions"]
    day = tmp_path / "day.ndjson"
    subprocess.run([*command, str(flights.positions), "--output", str(day)], capture_output=True, check=True)
    with gzip.open(flights.positions) as lines:
        fixes = lines.readlines()
    cuts = [next(at for at, fix in enumerate(fixes) if hour in fix) for hour in (b"T09:00", b"T16:30")]

    found = b""
    for start, end in zip([0, *cuts], [*cuts, len(fixes)], strict=True):
        hours, events = tmp_path / "hours.ndjson", tmp_path / "events.ndjson"
        hours.write_bytes(b"".join(fixes[start:end]))
        carried = ["--state", str(tmp_path / "state"), "--output", str(events)]
        subprocess.run([*command, str(hours), *carried], capture_output=True, check=True)
        found += events.read_bytes()

    assert found == day.read_bytes()


def _id(event: dict[str, object]) -> str:
    kind, device_id, geofence_id, sample_time = told(event)
    milliseconds = round((EPOCH.fromisoformat(sample_time) - EPOCH).total_seconds() * 1000)
    return event_id("default", "default", device_id, geofence_id, kind, milliseconds)
