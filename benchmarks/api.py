"""How long first pages take over HTTP from `overfly serve` on PostGIS, with 50 million stored fixes.

10,000 devices, of which each query asks for another, or for another place or time, one query after the
other on one connection, warm: what is measured was asked for once before. Milliseconds from the request's
first byte to the answer's last, JSON read; the bare answer of /v1/health is what HTTP itself takes.
"""

import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import text

from benchmarks.stored_flights import DEVICES, SIZES, stored_flights
from ingest.timestamps import iso
from service.store.postgres import open_postgres
from tests.services import Overfly

QUERIES = 1_000
TARGET = 10.0
HOUR, DAY = 3_600_000, 86_400_000

Parameters = Mapping[str, str]


def run() -> None:
    with stored_flights() as urls:
        measure(urls[SIZES[-1]])


def measure(url: str) -> None:
    """Prints what the API takes on a database of stored flights."""
    asked = _Asked(url)
    with (
        tempfile.TemporaryDirectory() as name,
        Overfly(Path(name), {"DATABASE_URL": url}) as overfly,
        httpx.Client(base_url=overfly.url, timeout=60) as client,
    ):
        print(f"  {'':<44}{'p50':>7}{'p99':>8} ms{'':6}rows")
        for subject, query in asked.queries.items():
            _measure(client, subject, [query() for _ in range(QUERIES)])
    print(f"  (target: each below {TARGET:.0f} ms at the 99th percentile)")


def _measure(client: httpx.Client, subject: str, queries: list[tuple[str, Parameters]]) -> None:
    took, rows = [], 0
    for warm in (False, True):
        for path, parameters in queries:
            began = time.perf_counter()
            document = client.get(path, params=parameters).raise_for_status().json()
            if warm:
                took.append((time.perf_counter() - began) * 1000)
                rows += len(document.get("items", document.get("features", [0])))
    p50, p99 = np.percentile(took, [50, 99])
    print(f"  {subject:<44}{p50:7.1f}{p99:8.1f}{rows / len(queries):13.1f}", flush=True)


class _Asked:
    """Queries about what a database holds."""

    def __init__(self, url: str) -> None:
        with closing(open_postgres(url)) as database, database.read() as connection:
            rows = connection.execute(text("SELECT device_id, longitude, latitude FROM device"))
            self._devices = [tuple(row) for row in rows]
            self._last = int(connection.scalar(text("SELECT max(sample_time) FROM device")) or 0)
            self._first = int(connection.scalar(text("SELECT start FROM flown")) or 0)
            found = connection.scalars(text("SELECT DISTINCT geofence_id FROM event ORDER BY geofence_id"))
            self._geofences = list(found)
        assert len(self._devices) == DEVICES, len(self._devices)
        self._random = random.Random(0)  # noqa: S311 - no secret
        self.queries: Mapping[str, Callable[[], tuple[str, Parameters]]] = {
            "/v1/health": lambda: ("/v1/health", {}),
            "/v1/devices": lambda: ("/v1/devices", {}),
            "/v1/devices?bbox, 1 degree around a device": lambda: ("/v1/devices", self._box(0.5)),
            "/v1/devices?bbox, 10 degrees around a device": lambda: ("/v1/devices", self._box(5)),
            "/v1/devices?since, the last minute": lambda: ("/v1/devices", self._since()),
            "/v1/devices?bbox&since, 10 degrees": lambda: ("/v1/devices", {**self._box(5), **self._since()}),
            "/v1/devices/{id}": lambda: (f"/v1/devices/{self._device()[0]}", {}),
            "/v1/devices/{id}/positions, a day": lambda: (
                f"/v1/devices/{self._device()[0]}/positions",
                self._time(DAY),
            ),
            "/v1/events?device": lambda: ("/v1/events", {"device": self._device()[0]}),
            "/v1/events?geofence": lambda: ("/v1/events", self._geofence()),
            "/v1/events?start&end, an hour": lambda: ("/v1/events", self._time(HOUR)),
            "/v1/events?geofence&start&end, an hour": lambda: (
                "/v1/events",
                {**self._geofence(), **self._time(HOUR)},
            ),
            "/v1/events?device&geofence&start&end, a day": lambda: (
                "/v1/events",
                {"device": self._device()[0], **self._geofence(), **self._time(DAY)},
            ),
        }

    def _device(self) -> tuple[str, float, float]:
        device_id, longitude, latitude = self._random.choice(self._devices)
        return device_id, longitude, latitude

    def _box(self, around: float) -> Parameters:
        _, x, y = self._device()
        west, east = max(-180, x - around), min(180, x + around)
        return {"bbox": f"{west:.4f},{max(-90, y - around):.4f},{east:.4f},{min(90, y + around):.4f}"}

    def _since(self) -> Parameters:
        return {"since": iso(self._last - self._random.randrange(60_000))}

    def _time(self, length: int) -> Parameters:
        start = self._random.randrange(self._first, self._last - length)
        return {"start": iso(start), "end": iso(start + length)}

    def _geofence(self) -> Parameters:
        return {"geofence": self._random.choice(self._geofences)}
