"""PostgreSQL with PostGIS: the database of as many processes as it takes.

A transaction that reads sees one state (REPEATABLE READ). One that writes runs at READ COMMITTED and says
itself what it locks. Nothing but prepared statements outlives a transaction.
https://www.postgresql.org/docs/15/transaction-iso.html
"""

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from service.errors import SettingsError
from service.store.database import Database

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
LOCK_SECONDS = 10
IDLE_SECONDS = 10
"""A transaction whose process does not go on is ended by the server, and others get what it held."""

SETTING = "OVERFLY_DATABASE_URL"
EXPECTED = "expected postgresql+psycopg://user@host:5432/database"


def open_postgres(url: str, setting: str = SETTING) -> Database:
    """The database at a URL, which a setting names. Connects when it is first used. Raises SettingsError."""
    engine = create_engine(
        check_url(url, setting),
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "overfly"},
        pool_size=8,
        max_overflow=32,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
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
    return parsed


LIMITS = (
    f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; SET LOCAL timezone = 'UTC'"
)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(LIMITS)
