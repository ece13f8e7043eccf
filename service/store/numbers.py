"""The numbers that tables give to their rows, which are never given again."""

from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from service.store.columns import on_postgres


def given_number(connection: Connection, table: Table) -> int | None:
    """The greatest number that the table has given, 0 before the first; None where it gives none."""
    if not on_postgres(connection):
        if not table.dialect_kwargs.get("sqlite_autoincrement"):
            return None
        named = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return connection.scalar(named, {"name": table.name}) or 0
    name = _sequence(connection, table)
    if name is None:
        return None
    return connection.scalar(text("SELECT pg_sequence_last_value(:name)"), {"name": name}) or 0


def give_numbers_after(connection: Connection, table: Table, number: int) -> None:
    """The next row gets a greater one. On PostgreSQL this holds at once, whatever becomes of the
    transaction."""
    if number <= (given_number(connection, table) or 0):
        return
    if on_postgres(connection):
        name = _sequence(connection, table)
        connection.execute(text("SELECT setval(:name, :number)"), {"name": name, "number": number})
        return
    values: dict[str, Any] = {"name": table.name, "number": number}
    changed = text("UPDATE sqlite_sequence SET seq = :number WHERE name = :name")
    if not connection.execute(changed, values).rowcount:
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), values)


def _sequence(connection: Connection, table: Table) -> str | None:
    (column, *_) = table.primary_key.columns
    return connection.scalar(select(func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
