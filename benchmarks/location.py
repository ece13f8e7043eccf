"""BatchUpdateDevicePosition, 10 updates a call, beside a bare FastAPI endpoint that only parses its body.

`overfly serve` stores and evaluates, durably, before it answers: history, latest positions, state, events, on
SQLite and on PostGIS. The bare endpoint answers when the body is JSON. Both run in a process of their own by
uvicorn, set up alike, asked over 64 connections at once from a third, on 2 cores: in turn, several times; the
median counts. 2,000 devices wander among the geofences of the sample, in a tracker that stores all, and in
one that stores a position in 30 s.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import json

from benchmarks.location_flood import requests_per_second
from benchmarks.store import DURABLE
from ingest.timestamps import iso
from sample_data.flights import DEFAULT_FOLDER, build
from tests.brokers import free_port
from tests.postgres import Postgres
from tests.programs import answers
from tests.service.location.clients import location_client
from tests.services import Overfly
from tests.waiting import wait_until

UPDATES = 10
DEVICES = 2_000
CONNECTIONS = 64
REQUESTS = 4_000
ROUNDS = 3
TARGET = 0.3
TRACKERS = {"all": None, "filtered": "TimeBased"}
STEP = 5
"""Seconds between two positions of a device."""

BARE = """
import sys
import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()

@app.get("/")
def ready():
    return {}

@app.post("/tracking/v0/trackers/{name}/positions")
async def update(name: str, request: Request):
    await request.json()
    return {"Errors": []}

uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning", server_header=False)
"""


def run() -> None:
    flights = build(DEFAULT_FOLDER, print)
    bare: list[float] = []
    measured: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        Postgres.of_its_own(DURABLE) as server,
        _bare() as bare_url,
        Overfly(Path(name), {"LOG_LEVEL": "warning"}) as sqlite,
        Overfly(
            Path(name) / "postgis", {"DATABASE_URL": server.new_database(), "LOG_LEVEL": "warning"}
        ) as postgis,
    ):
        for overfly in (sqlite, postgis):
            overfly.put_geofences(flights.geofences)
            _create_trackers(overfly)
        bodies = _Bodies()
        for _ in range(ROUNDS):
            bare.append(_measured(bare_url, "all", bodies.next()))
            for store, overfly in (("SQLite", sqlite), ("PostGIS", postgis)):
                for tracker in TRACKERS:
                    rate = _measured(overfly.url, tracker, bodies.next())
                    measured.setdefault(f"{store}, {tracker}", []).append(rate)
    base = statistics.median(bare)
    print(f"  {'bare endpoint':<20}{base:8,.0f} requests/s")
    for subject, rates in measured.items():
        rate = statistics.median(rates)
        print(f"  {subject:<20}{rate:8,.0f} requests/s{rate * UPDATES:10,.0f} positions/s{rate / base:8.2f}")
    print(f"  (target: at least {TARGET} of the bare endpoint)")


def _measured(url: str, tracker: str, bodies: list[bytes]) -> float:
    return requests_per_second(f"{url}/tracking/v0/trackers/{tracker}/positions", bodies, CONNECTIONS)


def _create_trackers(overfly: Overfly) -> None:
    location = location_client(overfly.url)
    arn = location.describe_geofence_collection(CollectionName="default")["CollectionArn"]
    for tracker, filtering in TRACKERS.items():
        # Amazon's API has no tracker that stores all
        overfly.post("/v1/trackers", {"trackerName": tracker, "positionFiltering": filtering})
        location.associate_tracker_consumer(TrackerName=tracker, ConsumerArn=arn)


class _Bodies:
    """Of one round after the other: each device's times go on."""

    def __init__(self) -> None:
        self._step = 0
        rounds = ROUNDS * 5
        steps = rounds * (REQUESTS * UPDATES // DEVICES + 1)
        self._start = datetime.now(UTC) - timedelta(seconds=STEP * steps)

    def next(self) -> list[bytes]:
        bodies = []
        for number in range(REQUESTS):
            first = number * UPDATES % DEVICES
            if not first:
                self._step += 1
            bodies.append(json.encode({"Updates": [self._update(first + each) for each in range(UPDATES)]}))
        return bodies

    def _update(self, device: int) -> dict[str, Any]:
        time = self._start + timedelta(seconds=STEP * self._step)
        longitude = 6.0 + (device % 89) * 0.05 + self._step * 0.002
        return {
            "DeviceId": f"van-{device}",
            "SampleTime": iso(int(time.timestamp() * 1000)),
            "Position": [round(longitude, 6), round(46.0 + (device % 97) * 0.02, 6)],
            "Accuracy": {"Horizontal": 10.0},
            "PositionProperties": {"driver": f"D{device}", "fuel": "half"},
        }


@contextmanager
def _bare() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), 30, lambda: "the bare endpoint does not answer")
        yield url
    finally:
        process.terminate()
        process.wait()
