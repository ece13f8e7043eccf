"""One state of the database, looked at for as long as it takes, beside whoever writes.

On PostgreSQL one transaction keeps the state and touches no table; each look is a short transaction of its
own that sees that state, so that nobody waits for our locks longer than a look takes. On SQLite all is one
transaction, which no writer waits for.
https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select, text

from service.store.columns import on_postgres
from service.store.database import Database


class Snapshot:
    """Made by `snapshot`."""

    def __init__(self, database: Database, holder: Connection, name: str | None) -> None:
        self._database = database
        self._holder = holder
        self._name = name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look at the state. Raises StoreAway."""
        if self._name is None:
            yield self._holder
            return
        with self._database.read() as connection:
            connection.execute(text(f"SET TRANSACTION SNAPSHOT '{self._name}'"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """The state of now, until the end. Raises StoreAway."""
    with database.read() as connection:
        name = None
        if on_postgres(connection):
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            name = connection.scalar(select(func.pg_export_snapshot()))
        yield Snapshot(database, connection, name)
