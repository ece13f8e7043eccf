"""What is asked in every commit is answered by an index, however long the history is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, event

from service.store.database import Database
from service.store.positions import any_waiting, due, last_waiting_receipt
from tests.service.workshop import Workshop
from tests.stores import SqliteStore


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """The plans of the queries made meanwhile."""
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
    with database.read() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append("\n".join(row[3] for row in rows))


def test_fixes_that_wait_are_found_by_their_index_and_never_by_reading_the_history(
    tmp_path: Path, migrated: Path
) -> None:
    workshop = Workshop(SqliteStore.copied(migrated, tmp_path), window=30)
    workshop.ingest(workshop.fix("x", 0, 1))
    with plans(workshop.database) as found, workshop.database.read() as connection:
        any_waiting(connection)
        last_waiting_receipt(connection)
        due(connection, 1 << 60, 10)

    assert len(found) == 3
    assert all("USING" in plan and "position_waiting" in plan for plan in found), found
    assert not any(line == "SCAN position" for plan in found for line in plan.splitlines()), found
