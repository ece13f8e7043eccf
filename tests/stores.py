"""The two stores, each as a test wants it: a database of its own at the newest schema, and how to open it."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import event, make_url

from service.store.database import Database
from service.store.postgres import open_postgres
from service.store.schema_state import prepare
from service.store.sqlite import DATABASE_FILE, open_sqlite


class Store(Protocol):
    """One database."""

    @property
    def name(self) -> str:
        """Folder or URL."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """OVERFLY_* variables, without the prefix, that name it."""
        ...

    def open(self) -> Database:
        """Opens it; any number of times."""
        ...

    def refuse(self, table: str, condition: str) -> None:
        """From now on it refuses rows for which an SQL condition on their columns is true."""
        ...

    def take_away(self, database: Database) -> None:
        """From now on nobody can write to it; who tries by this opened one is refused at once."""
        ...

    def give_back(self) -> None:
        """It can be written to again."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """In a data folder."""

    folder: Path
    _holders: list[sqlite3.Connection] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path) -> "SqliteStore":
        """In a folder that has none yet, or the one that it has."""
        store = cls(folder)
        with closing(store.open()) as database:
            prepare(database)
        return store

    @classmethod
    def copied(cls, of: Path, into: Path) -> "SqliteStore":
        shutil.copytree(of, into, dirs_exist_ok=True)
        return cls(into)

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def settings(self) -> Mapping[str, str]:
        return {"DATA_DIR": str(self.folder)}

    def open(self) -> Database:
        return open_sqlite(self.folder)

    def refuse(self, table: str, condition: str) -> None:
        trigger = (
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN NEW.{condition} "
            "BEGIN SELECT RAISE(ABORT, 'this database dislikes it'); END"
        )
        with closing(sqlite3.connect(self.folder / DATABASE_FILE)) as database:
            database.execute(trigger)

    def take_away(self, database: Database) -> None:
        impatient = "PRAGMA busy_timeout = 50"
        event.listen(database.engine, "connect", lambda connection, _: connection.execute(impatient))
        database.engine.dispose()
        holder = sqlite3.connect(self.folder / DATABASE_FILE, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        self._holders.append(holder)

    def give_back(self) -> None:
        holder = self._holders.pop()
        holder.execute("ROLLBACK")
        holder.close()


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """At a URL."""

    url: str

    @property
    def name(self) -> str:
        return self.url

    @property
    def settings(self) -> Mapping[str, str]:
        return {"DATABASE_URL": self.url}

    def open(self) -> Database:
        return open_postgres(self.url)

    def refuse(self, table: str, condition: str) -> None:
        with psycopg.connect(self._at(), autocommit=True) as connection:
            refused = sql.SQL(f"CHECK (NOT ({condition}))")  # type: ignore[arg-type] # of a test
            statement = sql.SQL("ALTER TABLE {} ADD CONSTRAINT disliked {}")
            connection.execute(statement.format(sql.Identifier(table), refused))

    def take_away(self, database: Database) -> None:
        self._elsewhere("ALTER DATABASE {name} SET default_transaction_read_only = on")
        database.engine.dispose()  # those that are open were opened before

    def give_back(self) -> None:
        self._elsewhere("ALTER DATABASE {name} RESET default_transaction_read_only")
        self._elsewhere("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {text}")

    def _elsewhere(self, statement: LiteralString) -> None:
        """Executes it from another database of the server."""
        name = make_url(self.url).database or ""
        with psycopg.connect(self._at("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(name=sql.Identifier(name), text=name))

    def _at(self, database: str | None = None) -> str:
        url = make_url(self.url).set(drivername="postgresql")
        return (url.set(database=database) if database else url).render_as_string(hide_password=False)


def opened(name: str) -> Database:
    """The database of a store by its `name`, for a program that a test starts."""
    return open_postgres(name) if "://" in name else open_sqlite(Path(name))
