"""A file with a whole database: a head, then table after table, then an end, each a line of JSON.

    {"format":"overfly database","version":1,"schema":"0009","exportedTime":"2026-08-01T05:00:00.000Z"}
    {"table":"revision","columns":["revision","kind","committed_time"],"given":1}
    [1,"link",1533099600000]
    {"end":true,"rows":1}

A row is an array of the values of its table's columns: numbers, texts, truths, null; bytes are Base64.
`given` is the greatest number that the table has ever given to a row, so that none is given again.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table

from service.store.schema import duty, geofence_area, metadata, shard, worker

FORMAT: Final = "overfly database"
VERSION: Final = 1

MOVED: Sequence[Table] = [
    table for table in metadata.sorted_tables if table not in (shard, duty, worker, geofence_area)
]
"""Each after those that it refers to. Who works with one database is not for another to know, and geometries
are made of features."""


class Head(msgspec.Struct, rename="camel", kw_only=True):
    """The first line. `schema` is that of the version that wrote it."""

    format: str
    version: int
    schema: str
    exported_time: str


class TableLine(msgspec.Struct, forbid_unknown_fields=True):
    """What rows follow; `given` is null where the table does not number rows by itself."""

    table: str
    columns: list[str]
    given: int | None


class EndLine(msgspec.Struct, forbid_unknown_fields=True):
    """The last line: a file without it was cut short."""

    end: bool
    rows: int


def row_type(table: Table) -> Any:
    """The type of a row in the file, for msgspec."""
    return tuple[tuple(map(_value_type, table.columns))]  # type: ignore[misc]  # made of columns


def _value_type(column: Column[Any]) -> Any:
    kinds: dict[type, Any] = {
        Boolean: bool,
        LargeBinary: bytes,
        Float: float,
        BigInteger: int,
        Integer: int,
    }
    kind = next((value for sql, value in kinds.items() if isinstance(column.type, sql)), str)
    return kind | None if column.nullable else kind
