"""SQLite in the data folder: the database of one process.

It runs with a write-ahead log, so readers never wait for the writer, and with `synchronous=FULL`, so a
commit is on the disk when it returns. A transaction that writes begins IMMEDIATE: what it reads cannot change
under it.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import StoreAway
from service.store.database import Database

BUSY_SECONDS = 20
DATABASE_FILE = "overfly.sqlite"


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
    return Database(engine, {}, {"overfly_write": True}, one_writer=True)


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
