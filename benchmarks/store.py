"""The tracker on PostGIS and on SQLite beside a bare COPY of the same rows into a table without any index.

Real flights of a day, moved to yesterday, 5,000 positions a message and a commit, against 99 geofences. The
tracker decodes, stores history and latest positions, evaluates, and keeps state and events; the bare COPY is
given columns that are read already. Both wait for the disk at each commit. In turn, several times; the median
counts.
"""

import gzip
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Column, MetaData, Table, text

from geofence.geofence import Geofence
from geofence.reading.geojson import read_geofences
from ingest.decoding.decoder import decode
from ingest.messages import Message
from sample_data.flights import DEFAULT_FOLDER, build
from service.catalog import GeofenceCatalog
from service.fixes import fixes_of
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.logs import configure_logs
from service.membership import Membership
from service.metrics import Metrics
from service.owned_shards import OwnedShards
from service.reorder import ReorderClock
from service.sharing import Sharing
from service.store.columns import Columns, insert_columns
from service.store.database import Database
from service.store.migration import prepare
from service.store.partitions import DaysOfHistory
from service.store.schema import position
from service.store.sqlite import open_sqlite
from service.tracker import Tracker
from tests.postgres import Postgres
from tests.stores import PostgresStore

BATCH = 5_000
ROUNDS = 3
TARGET = 0.4
EVENTS = 22_496
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}


def run() -> None:
    configure_logs("console", "warning")
    flights = build(DEFAULT_FOLDER, print)
    geofences = read_geofences(flights.geofences.read_bytes())
    messages = _messages(flights.positions)
    batches = [_columns(message) for message in messages]
    count = sum(len(batch["device_key"]) for batch in batches)
    bare, postgis, sqlite = [], [], []
    with Postgres.of_its_own(DURABLE) as server, tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            with closing(PostgresStore(server.new_database()).open()) as database:
                bare.append(_bare(database, batches))
            with closing(PostgresStore(server.new_database()).open()) as database:
                postgis.append(_tracked(database, messages, geofences, _alone(database)))
            with closing(open_sqlite(Path(name) / str(turn))) as database:
                prepare(database)
                sqlite.append(_tracked(database, messages, geofences))
    _say("bare COPY", bare, count, bare)
    _say("tracker, PostGIS", postgis, count, bare)
    _say("tracker, SQLite", sqlite, count, bare)
    print(f"  (target: PostGIS at least {TARGET} of the bare COPY)")


def _say(what: str, seconds: Sequence[float], count: int, bare: Sequence[float]) -> None:
    took, least = statistics.median(seconds), statistics.median(bare)
    print(f"  {what:<18}{count / took:9,.0f} positions/s {took / count * 1e6:6.1f} us  {least / took:5.2f}")


def _messages(positions: Path) -> list[Message]:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}".encode()
    with gzip.open(positions) as file:
        lines = [line.replace(b'"2018-08-01T', b'"%bT' % yesterday) for line in file]
    return [Message(b"".join(lines[at : at + BATCH])) for at in range(0, len(lines), BATCH)]


def _columns(message: Message) -> Columns:
    """What is stored of a message, device keys aside, which are numbers as well."""
    now = time.time_ns() // 1_000_000
    batch = decode([message], now, Intake(600_000, None).limits(now)).batch
    numbers: dict[str, int] = {}
    slots = [numbers.setdefault(each, len(numbers)) for each in batch.device_id.tolist()]
    columns = fixes_of(batch, np.array(slots, np.int32), now).columns()
    return {"device_key": slots, **columns, "revision": [1] * len(slots), "late": [False] * len(slots)}


def _bare(database: Database, batches: Sequence[Columns]) -> float:
    """Seconds."""
    plain = Table("bare", MetaData(), *(Column(each.name, each.type) for each in position.columns))
    with database.write() as connection:
        plain.create(connection)
    began = time.perf_counter()
    for batch in batches:
        with database.write() as connection:
            insert_columns(connection, plain, batch)
    return time.perf_counter() - began


def _alone(database: Database) -> OwnedShards | None:
    """As of the one worker at a database."""
    return Membership(database, "bench", 600, [], Sharing.WHOLE, "bench").shards


def _tracked(
    database: Database,
    messages: Sequence[Message],
    geofences: Sequence[Geofence],
    shards: OwnedShards | None = None,
) -> float:
    """Seconds."""
    live = LiveGeofences()
    GeofenceCatalog(database, live).put("default", geofences)
    history = None if shards is None else DaysOfHistory(database, None)
    tracker = Tracker(
        database,
        live,
        Intake(600_000, None),
        ReorderClock(0),
        Metrics(),
        shards=shards,
        history=history,
    )
    tracker.run_window(True)
    began = time.perf_counter()
    for message in messages:
        tracker.ingest([message], "default")
    took = time.perf_counter() - began
    with database.read() as connection:
        found = connection.scalar(text("SELECT count(*) FROM event"))
    assert found == EVENTS, found
    return took
