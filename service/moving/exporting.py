"""Writes a database into a file, as it is in one moment, page by page."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Table, select, tuple_

from ingest.timestamps import iso
from service.moving.move_file import FORMAT, MOVED, VERSION, EndLine, Head, TableLine
from service.store.database import Database
from service.store.numbers import given_number
from service.store.schema_state import schema_state
from service.store.snapshot import Snapshot, snapshot
from service.timestamps import now

PAGE = 10_000
"""Rows read at once."""


def exported_lines(database: Database) -> Iterator[list[bytes]]:
    """The lines of the file, some at a time, each list those of one page of rows. Raises StoreAway."""
    rows = 0
    with snapshot(database) as state:
        with state.read() as connection:
            schema = schema_state(connection).newest
        yield [
            _line(Head(format=FORMAT, version=VERSION, schema=schema, exported_time=iso(now()))),
        ]
        for table in MOVED:
            with state.read() as connection:
                given = given_number(connection, table)
            yield [_line(TableLine(str(table.name), [str(column.name) for column in table.columns], given))]
            for page in _pages(state, table):
                rows += len(page)
                yield [_line(tuple(row)) for row in page]
    yield [_line(EndLine(end=True, rows=rows))]


def _pages(state: Snapshot, table: Table) -> Iterator[list[Any]]:
    key = [table.c[column.name] for column in table.primary_key]
    places = [list(table.columns).index(column) for column in key]
    statement = select(*table.columns).order_by(*key).limit(PAGE)
    page: list[Any] = []
    while not page or len(page) == PAGE:
        after = statement
        if page:
            after = statement.where(tuple_(*key) > tuple_(*(page[-1][place] for place in places)))
        with state.read() as connection:
            page = list(connection.execute(after).all())
        yield page
        if not page:
            return


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
