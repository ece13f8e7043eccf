"""How a database would execute the queries that are made."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from service.store.database import Database


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """The plans of the queries made meanwhile, when the `with` has ended."""
    statements: list[tuple[str, object]] = []

    def keep(_c: Connection, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", keep)
    found: list[str] = []
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", keep)
    explain = "EXPLAIN QUERY PLAN" if database.engine.dialect.name == "sqlite" else "EXPLAIN"
    with database.read() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
            found.append("\n".join(row[-1] for row in rows))
