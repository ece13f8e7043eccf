"""The tracker on PostGIS and on SQLite beside a bare COPY of the same rows into a table without any index.

Real flights of a day, moved to yesterday, 5,000 positions a message and a commit, against 99 geofences. The
tracker, which has started, decodes, stores history and latest positions, evaluates, and keeps state and
events; the bare COPY is given columns that are read already, and writes them as text, or as binary, which is
the fastest that the driver can do. All wait for the disk at each commit. In turn, several times; the median
counts.

`./run bench stored` measures the tracker on databases that hold 1, 10 and 50 million fixes.
"""

import gzip
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Column, Connection, MetaData, Table, text

from benchmarks import store_workers
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
from service.metrics import Metrics
from service.ownership.membership import Membership
from service.ownership.sharing import Sharing
from service.reorder import ReorderClock
from service.store.columns import Columns, insert_columns, on_postgres
from service.store.database import Database
from service.store.partitions import DaysOfHistory
from service.store.schema import position
from service.store.schema_state import prepare
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
    bare: list[float] = []
    binary: list[float] = []
    postgis: list[float] = []
    sqlite: list[float] = []
    alone: list[float] = []
    together: list[float] = []
    with Postgres.of_its_own(DURABLE) as server, tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            with closing(PostgresStore(server.new_database()).open()) as database:
                bare.append(_bare(database, batches, _copy_text))
            with closing(PostgresStore(server.new_database()).open()) as database:
                binary.append(_bare(database, batches, insert_columns))
            with closing(PostgresStore(server.new_database()).open()) as database:
                postgis.append(_tracked(database, messages, geofences))
            with closing(open_sqlite(Path(name) / str(turn))) as database:
                prepare(database)
                sqlite.append(_tracked(database, messages, geofences))
            alone.append(store_workers.seconds_of(server, messages, geofences, workers=1))
            together.append(store_workers.seconds_of(server, messages, geofences, workers=2))
    baselines = {"text": bare, "binary": binary}
    _say("bare COPY, text", bare, count, baselines)
    _say("bare COPY, binary", binary, count, baselines)
    _say("tracker, PostGIS", postgis, count, baselines)
    _say("tracker, SQLite", sqlite, count, baselines)
    store_workers.say(statistics.median(alone), statistics.median(together))
    print(f"  (target: PostGIS at least {TARGET} of the bare COPY as text)")


def _say(what: str, seconds: Sequence[float], count: int, baselines: Mapping[str, Sequence[float]]) -> None:
    took = statistics.median(seconds)
    ratios = "".join(f"  {statistics.median(each) / took:5.2f} of {name}" for name, each in baselines.items())
    print(f"  {what:<18}{count / took:9,.0f} positions/s {took / count * 1e6:6.1f} us{ratios}")


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


def _bare(
    database: Database,
    batches: Sequence[Columns],
    copy: Callable[[Connection, Table, Columns], None],
) -> float:
    """Seconds."""
    plain = Table("bare", MetaData(), *(Column(each.name, each.type) for each in position.columns))
    with database.write() as connection:
        plain.create(connection)
    began = time.perf_counter()
    for batch in batches:
        with database.write() as connection:
            copy(connection, plain, batch)
    return time.perf_counter() - began


def _copy_text(connection: Connection, table: Table, columns: Columns) -> None:
    """Rows in the text format of COPY, made of Python's values at once: what the tracker did at first.

    https://www.postgresql.org/docs/15/sql-copy.html
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    statement = f'COPY "{table.name}" ({", ".join(columns)}) FROM STDIN'.encode()
    written = [_copied(values) for values in columns.values()]
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join("\t".join(row) + "\n" for row in zip(*written, strict=True)))


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copied(values: Sequence[Any]) -> Iterable[str]:
    if any(type(value) is not int and type(value) is not float for value in values):
        return (
            "\\N" if value is None else value.translate(_ESCAPED) if isinstance(value, str) else repr(value)
            for value in values
        )
    return map(repr, values)


def _tracked(database: Database, messages: Sequence[Message], geofences: Sequence[Geofence]) -> float:
    """Seconds."""
    live = LiveGeofences()
    GeofenceCatalog(database, live).put("default", geofences)
    tracker = started_tracker(database, live)
    began = time.perf_counter()
    for message in messages:
        tracker.ingest([message], "default")
    took = time.perf_counter() - began
    with database.read() as connection:
        found = connection.scalar(text("SELECT count(*) FROM event"))
    assert found == EVENTS, found
    return took


def started_tracker(database: Database, live: LiveGeofences) -> Tracker:
    """The tracker of a database, the only one, as it is once it has read what is stored."""
    with database.read() as connection:
        shared = on_postgres(connection)
    tracker = Tracker(
        database,
        live,
        Intake(600_000, None),
        ReorderClock(0),
        Metrics(),
        shards=Membership(database, "bench", 3600, [], Sharing.WHOLE, "bench").shards if shared else None,
        history=DaysOfHistory(database, None) if shared else None,
    )
    tracker.run_window(True)
    tracker.ingest([], "default")
    return tracker
