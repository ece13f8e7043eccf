"""What the database refuses: whether it is waited out, and that it is one line without what was stored."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from service.errors import StoreAway
from service.store.database import Database
from tests.postgres import Postgres
from tests.stores import PostgresStore


@pytest.fixture
def database(postgres: Postgres) -> Database:
    return PostgresStore(postgres.new_database()).open()


def execute(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement)).close()


def test_a_statement_that_was_prepared_before_a_migration_is_tried_again(database: Database) -> None:
    statement = "SELECT key, name FROM tracker"
    for _ in range(10):
        execute(database, statement)
    with psycopg.connect(database.engine.url.set(drivername="postgresql").render_as_string()) as beside:
        beside.execute("ALTER TABLE tracker ALTER COLUMN name TYPE varchar(300)")
    with pytest.raises(StoreAway, match=r"\(0A000\): its schema changed under a statement that was prepared"):
        execute(database, statement)
    execute(database, statement)


def test_a_statement_that_can_never_be_is_our_fault_and_not_waited_out(database: Database) -> None:
    with pytest.raises(ProgrammingError):
        execute(database, "SELEC 1")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT * FROM nowhere", "(42P01): its tables are not there"),
        ("SELECT nothing FROM tracker", "(42703): its schema is not this version's"),
        ("SET TRANSACTION READ ONLY; DELETE FROM reject", "(25006): it takes no writes"),
        ("SET LOCAL statement_timeout = 50; SELECT pg_sleep(9)", "(57014): a statement took too long"),
        ("SET LOCAL ROLE pg_monitor; DELETE FROM reject", "(42501): a right is missing"),
    ],
)
def test_what_passes_or_an_operator_mends_is_waited_out_and_said_with_what_to_do(
    database: Database, statement: str, said: str
) -> None:
    with pytest.raises(StoreAway) as raised:
        execute(database, statement)
    assert str(raised.value).startswith("database: ")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_who_finds_no_connection_free_waits_too(database: Database) -> None:
    database.engine.pool._timeout = 0.1  # ten seconds are long
    held = [database.engine.connect() for _ in range(40)]
    with pytest.raises(StoreAway, match="slow to answer, all connections of this process wait for it"):
        execute(database, "SELECT 1")
    for each in held:
        each.close()
