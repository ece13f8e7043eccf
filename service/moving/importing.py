"""Takes a database from a file into one that holds nothing yet: all of it in one transaction, or nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec
import numpy as np
from sqlalchemy import Connection, Table, delete, func, select, text
from sqlalchemy.exc import DataError, IntegrityError

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_accepted_geofence
from ingest.topics import SHARDS
from service.errors import Conflict, Refused, StoreAway
from service.moving.move_file import FORMAT, MOVED, VERSION, EndLine, Head, TableLine, row_type
from service.store.areas import put_areas
from service.store.columns import insert_columns, on_postgres
from service.store.database import Database
from service.store.geofences import OF_NOW
from service.store.leases import held, release, take
from service.store.numbers import give_numbers_after, given_number
from service.store.partitions import make_days
from service.store.refusal import first_line
from service.store.schema import (
    collection,
    geofence,
    geofence_version,
    position,
    revision,
    sequence,
    shard,
    tracker,
    tracker_consumer,
)
from service.store.schema_state import schema_state
from service.timestamps import now

ROWS_AT_ONCE = 10_000
AREAS_AT_ONCE = 500
FAULTS = 20
"""Faulty lines that are named."""
OWNER = "overfly import"
LEASE = 60_000

FROM_THE_START = (tracker_consumer, tracker, collection, revision, sequence)
"""What a new database has already; each before those that it refers to."""

Shape = TypeVar("Shape")


def import_lines(
    database: Database,
    lines: Iterable[bytes],
    kept_days: float | None,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Takes what `exported_lines` wrote and answers how many rows.

    `kept_days`: of history that is kept, None for all. `progress` is told how many more rows are there.
    Raises Conflict where the database holds something already, Refused for a file that cannot be taken, with
    its lines named, StoreAway.
    """
    with database.write() as connection:
        if on_postgres(connection):
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            _hold_shards(connection)
        _refuse_rows(connection)
        for table in FROM_THE_START:
            connection.execute(delete(table))
        rows = _Import(connection, kept_days, progress).take(lines)
        _number_on(connection)
        _make_areas(connection)
    return rows


def _hold_shards(connection: Connection) -> None:
    """Until the commit nobody evaluates, and nobody who did before does so after it."""
    owned = take(connection, shard, range(SHARDS), OWNER, LEASE)
    others = [each for each in held(connection, shard) if each.owner != OWNER]
    if others:
        raise StoreAway(f"worker {others[0].owner!r} uses the database: stop it first")
    release(connection, shard, owned)


def _refuse_rows(connection: Connection) -> None:
    """Whatever a new database has not."""
    for table in MOVED:
        if table not in FROM_THE_START and connection.scalar(select(func.count()).select_from(_one(table))):
            raise Conflict(
                f"the database holds a tracker's data already (table {table.name} has rows): import into a "
                "new data folder or an empty database"
            )
    for table in (tracker, collection):
        name = connection.scalar(select(table.c.name).where(table.c.name != "default").limit(1))
        if name is not None:
            raise Conflict(
                f"the database has a {table.name} {name!r} already: import into a new data folder or an "
                "empty database"
            )


def _one(table: Table) -> Any:
    return select(text("1")).select_from(table).limit(1).subquery()


class _Import:
    """The lines one after the other."""

    def __init__(
        self, connection: Connection, kept_days: float | None, progress: Callable[[int], object]
    ) -> None:
        self._connection = connection
        self._kept_days = kept_days
        self._progress = progress
        self._faults: list[str] = []

    def take(self, lines: Iterable[bytes]) -> int:
        numbered = enumerate(lines, 1)
        self._take_head(numbered)
        rows, table, decoder = 0, None, msgspec.json.Decoder(Any)
        waiting: list[Any] = []
        left = {each.name: each for each in MOVED}
        for number, line in numbered:
            if line[:1] != b"{":
                if table is None:
                    raise Refused(f"line {number}: a row before the first table")
                try:
                    waiting.append(decoder.decode(line))
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    self._add_fault(number, table, error)
                if len(waiting) == ROWS_AT_ONCE:
                    rows += self._insert(table, waiting, number)
                    waiting = []
                continue
            if table is not None:
                rows += self._insert(table, waiting, number - 1)
                waiting = []
            if line.startswith(b'{"end"'):
                self._end(numbered, number, line, rows, left)
                return rows
            table = self._table(number, line, left)
            decoder = msgspec.json.Decoder(row_type(table))
        raise Refused(f"the file is cut short: its last line, {_END}, is missing")

    def _take_head(self, numbered: Iterator[tuple[int, bytes]]) -> None:
        number, line = next(numbered, (1, b""))
        head = _decoded(number, line, Head, "what `overfly export --everything` writes first")
        if head.format != FORMAT:
            raise Refused(f"line {number}: format {head.format!r}, expected {FORMAT!r}")
        if head.version != VERSION:
            raise Refused(f"line {number}: version {head.version} of the format, expected {VERSION}")
        schema = schema_state(self._connection).newest
        if head.schema != schema:
            raise Refused(
                f"line {number}: schema {head.schema}, expected {schema}: export with the version of Overfly "
                "that imports, after `overfly migrate`"
            )

    def _table(self, number: int, line: bytes, left: dict[str, Table]) -> Table:
        said = _decoded(number, line, TableLine, "a table or the end")
        if said.table not in left:
            raise Refused(f"line {number}: table {said.table!r}, expected one of {', '.join(left) or 'none'}")
        table = left.pop(said.table)
        columns = [column.name for column in table.columns]
        if said.columns != columns:
            raise Refused(f"line {number}: columns of {table.name}: expected {', '.join(columns)}")
        if said.given is not None:
            give_numbers_after(self._connection, table, said.given)
        return table

    def _insert(self, table: Table, rows: list[Any], last_line: int) -> int:
        if self._faults or not rows:
            return 0
        names = (column.name for column in table.columns)
        columns: dict[str, Any] = dict(zip(names, zip(*rows, strict=True), strict=True))
        if table is position and on_postgres(self._connection):
            make_days(self._connection, np.array(columns["sample_time"], np.int64), self._kept_days, now())
        try:
            insert_columns(self._connection, table, columns)
        except (DataError, IntegrityError) as error:
            raise Refused(
                f"lines up to {last_line}, table {table.name}: the database refuses one of the last "
                f"{len(rows):,} rows: {first_line(error)}"
            ) from error
        self._progress(len(rows))
        return len(rows)

    def _add_fault(self, number: int, table: Table, error: Exception) -> None:
        columns = ", ".join(column.name for column in table.columns)
        self._faults.append(f"line {number}: row of {table.name}: {error}; expected {columns}")
        if len(self._faults) == FAULTS:
            self._refuse_faults()

    def _refuse_faults(self) -> None:
        if self._faults:
            raise Refused("nothing is imported:\n" + "\n".join(f"  {each}" for each in self._faults))

    def _end(
        self,
        numbered: Iterator[tuple[int, bytes]],
        number: int,
        line: bytes,
        rows: int,
        left: dict[str, Table],
    ) -> None:
        self._refuse_faults()
        end = _decoded(number, line, EndLine, _END)
        if end.rows != rows:
            raise Refused(f"line {number}: {end.rows:,} rows are announced, and {rows:,} there")
        if left:
            raise Refused(f"line {number}: the end, expected tables {', '.join(left)} before")
        if next(numbered, None) is not None:
            raise Refused(f"line {number + 1}: expected nothing after the end")


_END = '{"end":true,"rows":...}'


def _decoded(number: int, line: bytes, shape: type[Shape], expected: str) -> Shape:
    try:
        return msgspec.json.decode(line, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(f"line {number}: {error}: expected {expected}") from None


def _number_on(connection: Connection) -> None:
    """The next row of each table gets a number that none has."""
    for table in MOVED:
        if given_number(connection, table) is not None:
            (column, *_) = table.primary_key.columns
            give_numbers_after(connection, table, connection.scalar(select(func.max(column))) or 0)


def _make_areas(connection: Connection) -> None:
    if not on_postgres(connection):
        return
    statement = (
        select(geofence.c.key, geofence.c.geofence_id, geofence_version.c.feature)
        .join(geofence_version, OF_NOW)
        .where(geofence_version.c.feature.is_not(None))
        .order_by(geofence.c.key)
        .limit(AREAS_AT_ONCE)
    )
    last = -1
    while rows := connection.execute(statement.where(geofence.c.key > last)).all():
        try:
            read = {key: read_accepted_geofence(feature.encode(), name) for key, name, feature in rows}
        except InvalidGeofences as error:
            raise Refused(f"a geofence of the file cannot be read: {error.faults[0]}") from None
        put_areas(connection, read)
        last = rows[-1].key
