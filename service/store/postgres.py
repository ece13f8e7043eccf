"""PostgreSQL with PostGIS: the database of as many processes as it takes.

A transaction that reads sees one state (REPEATABLE READ). One that writes runs at READ COMMITTED and says
itself what it locks. Nothing but prepared statements outlives a transaction.
https://www.postgresql.org/docs/15/transaction-iso.html
"""

import os
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from service.errors import SettingsError
from service.store.credentials import KeptCredentials
from service.store.database import Database
from service.store.tls import MODES, tls_defaults, weakness

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
LOCK_SECONDS = 10
IDLE_SECONDS = 10
"""A transaction whose process does not go on is ended by the server, and others get what it held."""

SILENCE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""A connection whose other end is gone without a word is given up after half a minute, not after hours.
https://www.postgresql.org/docs/15/libpq-connect.html"""
POOL_SECONDS = 10

SETTING = "OVERFLY_DATABASE_URL"
EXPECTED = "expected postgresql+psycopg://user@host:5432/database"


def open_postgres(url: str, credentials: KeptCredentials | None = None, setting: str = SETTING) -> Database:
    """The database at a URL. which a setting names. Connects when it is first used.

    credentials: win over those of the URL.

    Raises SettingsError.
    """
    parsed = check_url(url, setting)
    engine = create_engine(
        parsed,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "overfly",
            **SILENCE,
            **tls_defaults(_parameters(parsed), os.environ),
        },
        pool_size=8,
        max_overflow=32,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    if credentials is not None:
        event.listen(engine, "do_connect", _connecting(credentials))
    reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return Database(engine, reading, {"isolation_level": "READ COMMITTED"}, one_writer=False)


def check_url(url: str, setting: str = SETTING) -> URL:
    """Raises SettingsError where no database of ours can be at a URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(f"{setting}: not a URL, {EXPECTED}") from None
    if parsed.drivername != "postgresql+psycopg":
        raise SettingsError(f"{setting}: {parsed.drivername}:// is not served, {EXPECTED}")
    parameters = _parameters(parsed)
    try:
        make_conninfo(**{name: parameters[name] for name in parsed.query})
    except psycopg.ProgrammingError as error:
        raise SettingsError(f"{setting}: {str(error).strip()}, says libpq") from None
    mode = parameters.get("sslmode", "verify-full")
    if mode not in MODES:
        raise SettingsError(f"{setting}: sslmode={mode} is none of {', '.join(MODES)}")
    return parsed


def tls_weakness(url: str) -> str | None:
    """What its sslmode leaves open on the way to a server elsewhere. Raises SettingsError."""
    return weakness(_parameters(check_url(url)), os.environ)


def _parameters(url: URL) -> dict[str, Any]:
    """libpq's, as the driver gives them to it."""
    return dict(url.get_dialect()().create_connect_args(url)[1])


def _connecting(credentials: KeptCredentials) -> Callable[..., psycopg.Connection]:
    """Connects with them, and once more with those that have taken their place."""

    def connect(
        _: Any, __: Any, arguments: tuple[Any, ...], parameters: dict[str, Any]
    ) -> psycopg.Connection:
        used = credentials.current()
        while True:
            user = parameters.get("user") if used.user is None else used.user
            named = {**parameters, "user": user, "password": used.password}
            try:
                return psycopg.connect(*arguments, **named)
            except psycopg.OperationalError as error:
                # the server asked for a password: whatever its words are, this one may be of yesterday
                asked = error.pgconn is not None and error.pgconn.used_password
                others = credentials.after_refusal(used) if asked else None
                if others is None:
                    raise
                used = others

    return connect


LIMITS = (
    f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; SET LOCAL timezone = 'UTC'"
)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(LIMITS)
