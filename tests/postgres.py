"""A real PostgreSQL with PostGIS for tests: its own port and folder, a database for each that asks."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from service.store.postgres import open_postgres
from service.store.schema_state import prepare
from tests.brokers import free_port
from tests.programs import Program
from tests.small_disk import SmallDisk
from tests.waiting import wait_until

START_SECONDS = 60.0
TEMPLATE = "newest"
"""A database at the newest schema, to be copied: migrations take a while."""


@dataclass(slots=True)
class Postgres(Program):
    """A server in `folder`, at 127.0.0.1 on a free port that it keeps over restarts.

    `options` are settings of the server. It does not wait for the disk: what it has committed survives the
    end of its process, not that of the machine.
    """

    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    small_disk: SmallDisk | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _has_template: bool = False

    @classmethod
    @contextmanager
    def of_its_own(
        cls, options: Mapping[str, str] | None = None, small_disk: int | None = None
    ) -> Iterator[Self]:
        """A server in a new folder. Not in pytest's, which root keeps to itself, and PostgreSQL is not run
        by root. small_disk: megabytes of one beside it, where `database_on_small_disk` makes its own.
        """
        folder = Path(tempfile.mkdtemp(prefix="overfly-postgres-"))
        try:
            if os.getuid() == 0:
                shutil.chown(folder, "postgres", "postgres")
            server = cls(folder, options or {})
            if small_disk is not None:
                (folder / "disk").mkdir()
                server.small_disk = SmallDisk(folder / "disk", small_disk, _somebody())
            with server:
                yield server
                server.kill()  # its folder goes: nothing is to be written for later
        finally:
            shutil.rmtree(folder)

    @property
    def name(self) -> str:
        return "postgres"

    def start(self) -> Self:
        """Starts it, and waits until it answers."""
        data = self.folder / "data"
        if not data.exists():
            command = [_program("initdb"), "--pgdata", str(data), "--username", "overfly", "--auth", "trust"]
            subprocess.run(
                [*_as_somebody(), *command, "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
                check=True,
                capture_output=True,
                cwd=self.folder,
            )
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            **self.options,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [*_as_somebody(), _program("postgres"), "-D", str(data), *options]
        self.process = self.launched(self.small_disk.command(command) if self.small_disk else command)
        wait_until(self._answers, START_SECONDS, lambda: f"does not answer:\n{self.log[-4000:]}")
        return self

    def stop(self) -> int:
        """As quickly as it can in good order: SIGINT, which ends connections."""
        return self._end(signal.SIGINT)

    def kill(self) -> None:
        """All at once, as SIGKILL of every process of it."""
        self._end(signal.SIGQUIT)

    @contextmanager
    def replica(self) -> Iterator["Postgres"]:
        """Another server, which replays all that this one writes."""
        folder = Path(tempfile.mkdtemp(prefix="overfly-replica-"))
        try:
            if os.getuid() == 0:
                shutil.chown(folder, "postgres", "postgres")
            command = [_program("pg_basebackup"), "--pgdata", str(folder / "data"), "--write-recovery-conf"]
            where = ["--host", "127.0.0.1", "--port", str(self.port), "--username", "overfly"]
            subprocess.run(
                [*_as_somebody(), *command, *where, "--checkpoint", "fast", "--no-sync"],
                check=True,
                capture_output=True,
                cwd=folder,
            )
            with Postgres(folder, self.options) as replica:
                yield replica
        finally:
            shutil.rmtree(folder)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://overfly@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a database at the newest schema, with nothing else in it."""
        if not self._has_template:
            self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
            database = open_postgres(self.url(TEMPLATE))
            prepare(database)
            database.close()
            self._has_template = True
        return self.url(self._new(TEMPLATE))

    def copy_of(self, url: str) -> str:
        """The URL of a database that has what the one at `url`, which nobody has open, has now."""
        return self.url(self._new(url.rpartition("/")[2]))

    def empty_database(self) -> str:
        """The URL of a database with nothing in it at all."""
        return self.url(self._new("template1"))

    def database_on_small_disk(self) -> str:
        """As `new_database`; all of it but the log of transactions is on the small disk."""
        assert self.small_disk is not None
        url = self.new_database()
        name, folder = url.rpartition("/")[2], str(self.small_disk.folder)
        self._execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(folder)))
        self._execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(sql.Identifier(name)))
        return url

    def _new(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        self._execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
        return name

    def _execute(self, statement: sql.Composed) -> None:
        with self._connected() as connection:
            connection.execute(statement)

    def _connected(self) -> psycopg.Connection:
        where = {"host": "127.0.0.1", "port": self.port, "user": "overfly", "dbname": "postgres"}
        return psycopg.connect(**where, autocommit=True, connect_timeout=5)

    def _answers(self) -> bool:
        self.assert_running()
        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True


def session(url: str, **options: Any) -> psycopg.Connection:
    """One of the driver's own, at a URL such as OVERFLY_DATABASE_URL has it. `options` are libpq's."""
    return psycopg.connect(url.replace("+psycopg", ""), **options)


def _program(name: str) -> str:
    """Debian keeps them apart by version, and not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name) or name


def _as_somebody() -> Sequence[str]:
    """PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return []
    user, group = _somebody()
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]


def _somebody() -> tuple[int, int]:
    """User and group of who runs it."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    postgres = pwd.getpwnam("postgres")
    return postgres.pw_uid, postgres.pw_gid
