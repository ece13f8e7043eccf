"""The real flights, replayed by `overfly replay`, and what must come of them, exactly."""

import gzip
import json
import sqlite3
import subprocess
import sys
from datetime import datetime
from functools import cache

from geofence.events import event_id
from sample_data.flights import FlightFiles
from tests.brokers import Mosquitto
from tests.services import Overfly

POSITIONS = 139_098
EVENTS = 22_496


def replay(flights: FlightFiles, broker: Mosquitto) -> "subprocess.Popen[bytes]":
    """Begins to publish them at a broker, one message a position."""
    code = "from service.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "replay", str(flights.positions), "--mqtt", broker.url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def assert_exact(overfly: Overfly, flights: FlightFiles) -> set[str]:
    """The events are the expected ones, each once, and so are the stored positions; answers the ids."""
    ids = [event["eventId"] for event in overfly.items("/v1/events")]
    assert len(ids) == EVENTS
    assert set(ids) == expected_ids(flights)
    devices = list(overfly.items("/v1/devices"))
    assert len(devices) == 842
    assert stored_rows(overfly) == POSITIONS
    assert not list(overfly.items("/v1/rejects"))
    return set(ids)


@cache
def expected_ids(flights: FlightFiles) -> set[str]:
    """The ids that the expected events have in tracker and collection `default`."""
    with gzip.open(flights.expected_events) as lines:
        events = [json.loads(line) for line in lines]
    return {
        event_id(
            "default",
            "default",
            event["deviceId"],
            event["geofenceId"],
            event["eventType"],
            round(datetime.fromisoformat(event["sampleTime"]).timestamp() * 1000),
        )
        for event in events
    }


def stored_rows(overfly: Overfly) -> int:
    """Positions in the database that came in time."""
    with sqlite3.connect(f"file:{overfly.folder}/data/overfly.sqlite?mode=ro", uri=True) as database:
        (rows,) = database.execute("SELECT count(*) FROM position WHERE late = 0").fetchone()
    return int(rows)
