"""The real flights, replayed by `overfly replay`, and what must come of them, exactly."""

import gzip
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from geofence.events import event_id
from sample_data.flights import FlightFiles
from tests.brokers import Mosquitto
from tests.postgres import session
from tests.services import Overfly

MORNING_ENDS = "2018-08-01T11:00:00.000Z"
DAWN_ENDS = "2018-08-01T07:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Flown:
    """Flights to publish, and what must come of them: how many positions of how many devices are stored, and
    which ids the events have in tracker and collection `default`.
    """

    positions: Path
    geofences: Path
    count: int
    devices: int
    event_ids: frozenset[str]

    @classmethod
    def whole_day(cls, flights: FlightFiles) -> Self:
        """All of the flights."""
        return cls._of(flights, flights.positions, "Z")

    @classmethod
    def until(cls, end: str, flights: FlightFiles, folder: Path) -> Self:
        """Those up to a time. No event depends on later fixes: they are those until then."""
        positions = folder / "flights.ndjson.gz"
        lines = [line for line in _lines(flights.positions) if json.loads(line)["timestamp"] < end]
        positions.write_bytes(gzip.compress(b"".join(lines), 1))
        return cls._of(flights, positions, end)

    @classmethod
    def _of(cls, flights: FlightFiles, positions: Path, end: str) -> Self:
        fixes, events = map(_read, (positions, flights.expected_events))
        devices = {fix["deviceId"] for fix in fixes}
        ids = frozenset(_event_id(event) for event in events if event["sampleTime"] < end)
        return cls(positions, flights.geofences, len(fixes), len(devices), ids)


def replay(flown: Flown, broker: Mosquitto, *options: str) -> "subprocess.Popen[bytes]":
    """Begins to publish them at a broker, one message a position if options do not say otherwise."""
    code = "from service.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "replay", str(flown.positions), "--mqtt", broker.url, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def assert_exact(overfly: Overfly, flown: Flown) -> None:
    """The events of collection `default` are the expected ones, each once, as are the stored positions."""
    ids = [event["eventId"] for event in overfly.items("/v1/events", collection="default")]
    assert len(ids) == len(flown.event_ids)
    assert set(ids) == flown.event_ids
    assert len(list(overfly.items("/v1/devices"))) == flown.devices
    assert stored_rows(overfly) == flown.count
    assert not list(overfly.items("/v1/rejects"))


def stored_rows(overfly: Overfly) -> int:
    """Positions in the database that came in time."""
    url = overfly.settings.get("DATABASE_URL")
    statement = "SELECT count(*) FROM position WHERE NOT late"
    if url is None:
        with sqlite3.connect(f"file:{overfly.folder}/data/overfly.sqlite?mode=ro", uri=True) as database:
            (rows,) = database.execute(statement).fetchone()
        return int(rows)
    with session(url) as connection:
        (rows,) = connection.execute(statement).fetchone() or (0,)
    return int(rows)


def visited(geofences: Path, folder: Path) -> Path:
    """The same geofences, of which visits are asked."""
    document = json.loads(geofences.read_bytes())
    for feature in document["features"]:
        asked = {"dwellSeconds": 120, "exitAfterSeconds": 60, "exitAfterMetres": 500}
        feature["properties"] = {**(feature.get("properties") or {}), **asked}
    path = folder / "visited.geojson"
    path.write_text(json.dumps(document))
    return path


def found_offline(geofences: Path, positions: Path, *options: str) -> Counter[str]:
    """What `overfly evaluate` finds: `without_names` of each event."""
    code = "from service.cli import main; main()"
    files = ["--geofences", geofences, "--positions", positions]
    found = subprocess.run(
        [sys.executable, "-c", code, "evaluate", *files, *options], check=True, capture_output=True
    )
    return Counter(map(without_names, map(json.loads, found.stdout.splitlines())))


def without_names(event: dict[str, Any]) -> str:
    """An event, but for its id and the names of tracker and collection, on which the id depends."""
    return json.dumps({name: event[name] for name in event if name not in NAMES}, sort_keys=True)


NAMES = ("eventId", "trackerName", "collectionName")


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(path)]


def _lines(path: Path) -> list[bytes]:
    with gzip.open(path) as lines:
        return list(lines)


def _event_id(event: dict[str, Any]) -> str:
    sample_time = round(datetime.fromisoformat(event["sampleTime"]).timestamp() * 1000)
    return event_id(
        "default", "default", event["deviceId"], event["geofenceId"], event["eventType"], sample_time
    )
