"""Connections to the database: short reads that see one state of it, and transactions that write."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from service.errors import StoreAway
from service.store.refusal import sentence, waited_out


class Database:
    """An engine with the two kinds of transaction there are.

    Both raise StoreAway where the database does not answer, is locked, full or damaged: the caller waits and
    tries again. What it refuses because of the data (IntegrityError, DataError) passes through, and so does
    a statement that can never be, which is our fault. When `write` raises StoreAway at its end, nobody knows
    whether it was committed.
    """

    def __init__(
        self, engine: Engine, reading: Mapping[str, Any], writing: Mapping[str, Any], *, one_writer: bool
    ) -> None:
        """reading, writing: execution options of the two. one_writer: a transaction that writes sees what it
        saw first until its end, since nobody else may write; more than one would only wait for each other."""
        self.engine = engine
        self._reading = dict(reading)
        self._writing = dict(writing)
        self._one_writer = threading.Lock() if one_writer else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with _waitable(), self.engine.connect() as connection:
            yield connection.execution_options(**self._reading)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back when anything is raised."""
        with self._one_writer or nullcontext(), _waitable(), self.engine.connect() as connection:
            connection.execution_options(**self._writing)
            with connection.begin():
                yield connection

    def state_seen_by(self, connection: Connection) -> AbstractContextManager[Connection]:
        """What a transaction that writes reads several related things with: all of them of one state.

        It has everything that was committed before this is called, on PostgreSQL nothing of the transaction.
        """
        return nullcontext(connection) if self._one_writer else self.read()

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _waitable() -> Iterator[None]:
    try:
        yield
    except (DataError, IntegrityError):
        raise
    except DBAPIError as error:
        if not waited_out(error):
            raise
        raise StoreAway(f"database: {sentence(error)}") from error
    except NoConnectionFree as error:
        raise StoreAway("database: slow to answer, all connections of this process wait for it") from error


CHANGED_MEANWHILE = {
    "23503",  # foreign_key_violation: what the rows name was taken away
    "23505",  # unique_violation: somebody else has added the row
    "SQLITE_CONSTRAINT_FOREIGNKEY",
    "SQLITE_CONSTRAINT_PRIMARYKEY",
    "SQLITE_CONSTRAINT_UNIQUE",
}
"""https://www.postgresql.org/docs/15/errcodes-appendix.html, https://www.sqlite.org/rescode.html"""


def changed_meanwhile(error: DBAPIError) -> bool:
    """Whether the same, made of what the database holds now, may succeed."""
    codes = (getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname"))
    return any(code in CHANGED_MEANWHILE for code in codes)
