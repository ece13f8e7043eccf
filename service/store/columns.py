"""Many rows at once, as columns: added, changed, taken away, found.

PostgreSQL takes columns as they are, by COPY or as arrays; SQLite takes rows. A column is a sequence of
Python values, by the name of the table's column.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Boolean,
    ClauseElement,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, Sequence[Any]]


def upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if on_postgres(connection) else sqlite.insert(table)


def on_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def insert_columns(connection: Connection, table: Table, columns: Columns) -> None:
    """Adds rows, in their order."""
    if not on_postgres(connection):
        given: dict[str, Any] = {name: bindparam(name) for name in columns}
        _execute_many(connection, (table, *columns), lambda: insert(table).values(given), columns)
        return
    names = ", ".join(f'"{name}"' for name in columns)
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - narrows the type; the engine is psycopg's
    statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types([_binary_type(table.c[name].type) for name in columns])
            for row in zip(*columns.values(), strict=True):
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _binary_type(kind: TypeEngine[Any]) -> str:
    """What PostgreSQL calls it: its binary format is that of the type to the byte."""
    return next(name for known, name in BINARY_TYPES.items() if isinstance(kind, known))


BINARY_TYPES: Mapping[type[TypeEngine[Any]], str] = {
    BigInteger: "int8",
    Integer: "int4",
    Float: "float8",
    Boolean: "bool",
    String: "text",
}
"""A subclass before what it is a kind of."""


def update_columns(
    connection: Connection,
    table: Table,
    keys: Columns,
    columns: Columns,
    among: ColumnElement[bool] | None = None,
    newer: Mapping[str, str] | None = None,
) -> None:
    """Changes the row of each key; all of them are among rows of which this is true.

    newer: columns that stay as they are where another one, say a time, would not grow by it.
    """
    if on_postgres(connection):
        only = true() if among is None else among
        new = _as_table(table, {**keys, **columns})
        here = and_(*(table.c[name] == new.c[name] for name in keys))
        changes = _changes(table, {name: new.c[name] for name in columns}, newer or {})
        statement = update(table).where(here, only).values(changes)
        connection.execute(statement, _arrays({**keys, **columns}))
        return

    def changed() -> ClauseElement:
        here = and_(*(table.c[name] == bindparam(f"at_{name}") for name in keys))
        given = {name: bindparam(f"to_{name}", type_=table.c[name].type) for name in columns}
        return update(table).where(here).values(_changes(table, given, newer or {}))

    named = (table, "update", *keys, "to", *columns, "newer", *(newer or {}).items())
    at = {f"at_{name}": values for name, values in keys.items()}
    _execute_many(
        connection, named, changed, {**at, **{f"to_{name}": each for name, each in columns.items()}}
    )


def _execute_many(
    connection: Connection, named: Hashable, statement: Callable[[], ClauseElement], columns: Columns
) -> None:
    """A statement for each row of values of its parameters, on SQLite.

    named: tells it from all others. SQLAlchemy would look at each value of each row, which takes longer than
    the statement; there is nothing to convert in what is written so.
    """
    if named not in _STATEMENTS:
        compiled = statement().compile(dialect=connection.dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - narrows the type: it is no DDL
        _STATEMENTS[named] = str(compiled), tuple(compiled.positiontup or ())
    text, places = _STATEMENTS[named]
    connection.exec_driver_sql(text, list(zip(*(columns[name] for name in places), strict=True)))


_STATEMENTS: dict[Hashable, tuple[str, tuple[str, ...]]] = {}
"""What SQLite is told, and the parameters in their order."""


def _changes(
    table: Table, given: Mapping[str, ColumnElement[Any]], newer: Mapping[str, str]
) -> dict[str, ColumnElement[Any]]:
    changes = dict(given)
    for name, by in newer.items():
        changes[name] = case((given[by] > table.c[by], given[name]), else_=table.c[name])
    return changes


def put_columns(connection: Connection, table: Table, keys: Columns, columns: Columns) -> None:
    """Changes the row of each key, and adds it where there is none; each key comes once."""
    whole = {**keys, **columns}
    statement = upsert(connection, table)
    values: list[dict[str, Any]] | dict[str, Any]
    if on_postgres(connection):
        new = _as_table(table, whole)
        statement = statement.from_select(list(whole), select(*(new.c[name] for name in whole)))
        values = _arrays(whole)
    else:
        values = _rows(whole)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: statement.excluded[name] for name in columns}
        ),
        values,
    )


def delete_keys(
    connection: Connection, table: Table, keys: Columns, among: ColumnElement[bool] | None = None
) -> None:
    """Takes away the row of each key; all of them are among rows of which this is true."""
    only = true() if among is None else among
    if on_postgres(connection):
        gone = _as_table(table, keys)
        here = and_(*(table.c[name] == gone.c[name] for name in keys))
        connection.execute(delete(table).where(here, only), _arrays(keys))
        return
    here = and_(*(table.c[name] == bindparam(f"at_{name}") for name in keys))
    connection.execute(
        delete(table).where(here, only), _rows({f"at_{name}": values for name, values in keys.items()})
    )


def wanted_keys(connection: Connection, table: Table, keys: Columns) -> tuple[FromClause, dict[str, Any]]:
    """Keys, which are whole numbers, as a table to join with, and the values to execute the statement with.

    Beside the keys it has `place`: which of them a row is, from 0 on.
    """
    if on_postgres(connection):
        wanted = _as_table(table, keys, ordinality="counted")
        numbered = select(*(wanted.c[name] for name in keys), (wanted.c.counted - 1).label("place"))
        return numbered.subquery("wanted"), _arrays(keys)
    each = func.json_each(bindparam("wanted")).table_valued("key", "value", name="each")
    members = (
        type_coerce(func.json_extract(each.c.value, f"$[{number}]"), table.c[name].type).label(name)
        for number, name in enumerate(keys)
    )
    text = "[" + ",".join(map(str, map(list, zip(*keys.values(), strict=True)))) + "]"
    return select(*members, each.c.key.label("place")).subquery("wanted"), {"wanted": text}


def _rows(columns: Columns) -> list[dict[str, Any]]:
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _arrays(columns: Columns) -> dict[str, Any]:
    return {f"all_{name}": list(values) for name, values in columns.items()}


def _as_table(table: Table, columns: Columns, ordinality: str | None = None) -> FromClause:
    arrays = (bindparam(f"all_{name}", type_=postgresql.ARRAY(table.c[name].type)) for name in columns)
    members = [column(name, table.c[name].type) for name in columns]
    unnested = func.unnest(*arrays).table_valued(*members, with_ordinality=ordinality, name="given")
    return unnested.render_derived()
