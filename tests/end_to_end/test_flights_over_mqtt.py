"""Real flights, one message each, over a real Mosquitto into `overfly serve`: exactly the expected events."""

import gzip
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from geofence.events import event_id
from sample_data.flights import FlightFiles
from tests.brokers import Mosquitto
from tests.mailboxes import Mailbox
from tests.services import Overfly, wait_until

POSITIONS = 139_098
EVENTS = 22_496
KILLED_AFTER = (1, 15_000, 40_000, 70_000, 100_000)
"""Positions stored when serve is killed."""


def replay(flights: FlightFiles, broker: Mosquitto) -> "subprocess.Popen[bytes]":
    code = "from service.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "replay", str(flights.positions), "--mqtt", broker.url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def expected(flights: FlightFiles) -> set[tuple[str, str, str, str]]:
    with gzip.open(flights.expected_events) as lines:
        events = [json.loads(line) for line in lines]
    return {(e["eventType"], e["deviceId"], e["geofenceId"], e["sampleTime"]) for e in events}


def assert_exact(overfly: Overfly, flights: FlightFiles) -> set[str]:
    """The events are the expected ones, each once, and so are the stored positions; answers the ids."""
    events = list(overfly.items("/v1/events"))
    found = [(e["eventType"], e["deviceId"], e["geofenceId"], e["sampleTime"]) for e in events]
    assert len(found) == EVENTS
    assert set(found) == expected(flights)
    ids = [e["eventId"] for e in events]
    assert len(set(ids)) == EVENTS
    sample = events[4711]
    assert sample["eventId"] == event_id(
        "default",
        "default",
        sample["deviceId"],
        sample["geofenceId"],
        sample["eventType"],
        _milliseconds(sample["sampleTime"]),
    )
    devices = list(overfly.items("/v1/devices"))
    assert len(devices) == 842
    assert _stored_rows(overfly) == POSITIONS
    assert not list(overfly.items("/v1/rejects"))
    return set(ids)


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _stored_rows(overfly: Overfly) -> int:
    with sqlite3.connect(f"file:{overfly.folder}/data/overfly.sqlite?mode=ro", uri=True) as database:
        (rows,) = database.execute("SELECT count(*) FROM position WHERE late = 0").fetchone()
    return int(rows)


@pytest.fixture
def started() -> Iterator[list[Overfly]]:
    """Services that are stopped at the end of the test, however it ends."""
    running: list[Overfly] = []
    yield running
    for each in running:
        each.kill()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def test_the_flights_give_exactly_the_expected_events_though_serve_is_killed_on_the_way(
    tmp_path: Path, flights: FlightFiles, broker: Mosquitto, started: list[Overfly]
) -> None:
    with Mailbox() as mailbox:
        overfly = Overfly(
            tmp_path / "overfly",
            {
                "MQTT_URL": broker.url,
                "SMTP_URL": mailbox.url,
                "ALERT_EMAIL": "dispatcher@example.org",
                "ALERT_INTERVAL": "1",
            },
        ).start()
        started.append(overfly)
        overfly.put_geofences(flights.geofences)
        publisher = replay(flights, broker)
        for some in KILLED_AFTER:
            wait_until(lambda some=some: _stored_rows(overfly) >= some, 60)
            overfly.kill()
            overfly.start()
        _, said = publisher.communicate(timeout=240)
        assert publisher.returncode == 0, said
        wait_until(lambda: _stored_rows(overfly) == POSITIONS, 120, lambda: f"{_stored_rows(overfly)} stored")
        ids = assert_exact(overfly, flights)

        wait_until(lambda: set(mailbox.event_ids()) == ids, 60, lambda: f"{len(mailbox.event_ids())} told")
        told = mailbox.event_ids()
        assert all(len(message_ids) == 1 for message_ids in told.values())
        alerts = list(overfly.items("/v1/alerts"))
        wait_until(lambda: all(each["status"] == "sent" for each in overfly.items("/v1/alerts")), 30)
        assert {each["messageId"] for each in alerts} == {mail["Message-ID"] for mail in mailbox.mails}
        assert sum(each["eventCount"] for each in alerts) == EVENTS
        asked = time.monotonic()
        assert overfly.stop() == 0
        assert time.monotonic() - asked < 10


def test_shuffled_flights_in_a_reorder_window_give_the_same_events_over_a_restart(
    tmp_path: Path, flights: FlightFiles, broker: Mosquitto, started: list[Overfly]
) -> None:
    """Fixes up to 400 places out of order; killed once in the middle of the window."""
    shuffler = random.Random(20180801)  # noqa: S311 - shuffles, guards nothing
    with gzip.open(flights.positions) as lines:
        places = sorted((place + shuffler.uniform(0, 400), line) for place, line in enumerate(lines))
    shuffled = tmp_path / "shuffled.ndjson"
    shuffled.write_bytes(b"".join(line for _, line in places))
    overfly = Overfly(tmp_path / "overfly", {"MQTT_URL": broker.url, "REORDER_SECONDS": "8"}).start()
    started.append(overfly)
    overfly.put_geofences(flights.geofences)
    files = FlightFiles(shuffled, flights.geofences, flights.expected_events)
    publisher = replay(files, broker)
    wait_until(lambda: _stored_rows(overfly) > 40_000, 90)
    overfly.kill()
    overfly.start()
    _, said = publisher.communicate(timeout=240)
    assert publisher.returncode == 0, said
    wait_until(
        lambda: len(list(overfly.items("/v1/events"))) >= EVENTS,
        120,
        lambda: f"{len(list(overfly.items('/v1/events')))} events, {_stored_rows(overfly)} rows",
    )
    assert_exact(overfly, files)
    assert overfly.metric("overfly_positions_late_total") == 0
    assert overfly.stop() == 0
