"""A server that is kept, with databases of 1, 10 and 50 million stored fixes of simulated flights.

They are built once, in `.overfly/bench`, about 13 GB: fixes, events and state are what the tracker would have
stored, but written in larger commits that do not wait for the disk. What a measurement adds stays.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psycopg
from psycopg import sql

from benchmarks.simulated import EUROPE, mixed
from geofence.fixes.positions import PositionBatch
from geofence.geofence import Geofence
from ingest.flights.encoding import payloads
from ingest.flights.simulated import Fleet
from ingest.messages import Message
from ingest.topics import SHARDS
from service.catalog import GeofenceCatalog
from service.evaluating import evaluate_fixes, write_evaluated
from service.live_geofences import LiveGeofences
from service.store.database import Database
from service.store.migration import migrate
from service.store.partitions import DaysOfHistory
from service.store.positions import insert_positions
from service.store.postgres import open_postgres
from service.store.reading.trackers import tracker_named
from service.store.schema_state import prepare
from service.storing import newer_than_latest, placed_fixes, write_devices
from service.tracked_devices import TrackedDevices
from tests.postgres import Postgres, session

FOLDER = Path(".overfly/bench/postgres")
DEVICES = 10_000
MINUTE = 60_000
SIZES = (1, 10, 50)
"""Millions of stored fixes."""
STEPS_AT_ONCE = 10
HOURS_AGO = 6
"""When the last fix was measured as it was built: what is measured goes on from there."""
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}
HASTY = {"synchronous_commit": "off", "shared_buffers": "1GB", "max_wal_size": "8GB"}


@contextmanager
def stored_flights() -> Iterator[Mapping[int, str]]:
    """URL of a database by its millions of fixes. Builds what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        shutil.chown(FOLDER, "postgres", "postgres")
    if not (FOLDER / "built").exists():
        with Postgres(FOLDER.resolve(), HASTY) as server:
            _build(server)
    with Postgres(FOLDER.resolve(), DURABLE) as server:
        urls = {millions: server.url(_name(millions)) for millions in SIZES}
        for url in urls.values():
            with closing(open_postgres(url)) as database:
                migrate(database)  # what was built by an earlier version
        yield urls


def geofences() -> Sequence[Geofence]:
    """A thousand circles and polygons over Europe."""
    return mixed(1_000, EUROPE)


class Flying:
    """What the flights of a database do next: one fix a device and minute, in turn."""

    def __init__(self, database: Database) -> None:
        with database.read() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            row = driver.execute("SELECT start, (SELECT max(sample_time) FROM device) FROM flown").fetchone()
        assert row is not None
        self._fleet = Fleet(DEVICES, row[0])
        self._last: int = row[1]

    def message(self, number: int, positions: int) -> Message:
        """The `number`th from now on of so many positions each."""
        fix = np.arange(number * positions, (number + 1) * positions)
        times = self._last + (1 + fix // DEVICES) * MINUTE
        return Message(b"\n".join(payloads(self._fleet.positions(fix % DEVICES, times))))


def _name(millions: int) -> str:
    return f"flown_{millions}"


def _build(server: Postgres) -> None:
    """One database that grows; it is copied at each size but the last."""
    growing = "growing"
    _execute(server, "DROP DATABASE IF EXISTS {}", growing)
    for millions in SIZES:
        _execute(server, "DROP DATABASE IF EXISTS {}", _name(millions))
    _execute(server, "CREATE DATABASE {}", growing)
    steps = [millions * 1_000_000 // DEVICES for millions in SIZES]
    now = time.time_ns() // 1_000_000
    start = now - HOURS_AGO * 60 * MINUTE - steps[-1] * MINUTE
    with closing(open_postgres(server.url(growing))) as database:
        prepare(database)
    live, fleet, first = LiveGeofences(), Fleet(DEVICES, start), 0
    for millions, end in zip(SIZES, steps, strict=True):
        with closing(open_postgres(server.url(growing))) as database:
            if first == 0:
                GeofenceCatalog(database, live).put("default", geofences())
                with database.write() as connection:
                    driver = connection.connection.driver_connection
                    assert isinstance(driver, psycopg.Connection)
                    driver.execute("CREATE TABLE flown AS SELECT %s::bigint AS start", [start])
            _fly(database, live, fleet, start, first, end)
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        first = end
        if millions == SIZES[-1]:
            _execute(server, "ALTER DATABASE {} RENAME TO {}", growing, _name(millions))
        else:
            _execute(server, "CREATE DATABASE {1} TEMPLATE {0}", growing, _name(millions))
        print(f"  built: {millions} million fixes", flush=True)
    (FOLDER / "built").touch()


def _fly(database: Database, live: LiveGeofences, fleet: Fleet, start: int, first: int, end: int) -> None:
    """Stores the fixes of steps from `first` to before `end`."""
    history = DaysOfHistory(database, None)
    devices: TrackedDevices | None = None
    for step in range(first, end, STEPS_AT_ONCE):
        number = np.arange(step * DEVICES, min(step + STEPS_AT_ONCE, end) * DEVICES)
        times = start + number // DEVICES * MINUTE
        batch: PositionBatch = fleet.positions(number % DEVICES, times)
        now = time.time_ns() // 1_000_000
        history.prepare(batch.sample_time, now)
        with database.write() as connection:
            if devices is None:
                live.catch_up(connection)
                devices = TrackedDevices(tracker_named(connection, "default").key, "default")
                devices.hold(connection, range(SHARDS))
            fixes = placed_fixes(connection, devices, batch, now)
            evaluated = evaluate_fixes(live, devices, fixes, now)
            insert_positions(connection, fixes, devices.key[fixes.slot], live.revision, evaluated.late)
            if step + STEPS_AT_ONCE >= end:
                latest = fixes.take(newer_than_latest(devices, fixes))
                write_devices(connection, devices, latest, evaluated)
            write_evaluated(connection, devices, evaluated, ())


def _execute(server: Postgres, statement: str, *names: str) -> None:
    whole = sql.SQL(statement).format(*map(sql.Identifier, names))  # type: ignore[arg-type] # of this file
    with session(server.url("postgres"), autocommit=True) as connection:
        connection.execute(whole)
