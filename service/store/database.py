"""Connections to the database: short reads, and one writer at a time.

SQLite runs with a write-ahead log, so readers never wait for the writer, and with `synchronous=FULL`, so a
commit is on the disk when it returns. A write transaction begins IMMEDIATE: what it reads cannot change
under it.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import StoreAway

BUSY_SECONDS = 20
DATABASE_FILE = "overfly.sqlite"


class Database:
    """An engine with the two kinds of transaction there are.

    Both raise StoreAway where the database does not answer, is locked, full or damaged: the caller waits and
    tries again. What it refuses because of the data (IntegrityError, DataError) passes through.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with _waitable(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that alone may write; committed at the end, rolled back when anything is raised."""
        with self._writing, _waitable(), self.engine.connect() as connection:
            connection.execution_options(overfly_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_sqlite(data_dir: Path) -> Database:
    """The database in the data folder, made there when there is none. Raises StoreAway."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreAway(f"data folder {data_dir}: {error.strerror}") from error
    url = URL.create("sqlite", database=str(data_dir / DATABASE_FILE))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=32)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return Database(engine)


@contextmanager
def _waitable() -> Iterator[None]:
    try:
        yield
    except (DataError, IntegrityError):
        raise
    except (OperationalError, DatabaseError) as error:
        raise StoreAway(f"database: {error.orig}") from error


def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - narrows the type; the engine is SQLite's
    connection.isolation_level = None  # we begin transactions ourselves, see _begin
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16384")  # 16 MiB a connection
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("overfly_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
