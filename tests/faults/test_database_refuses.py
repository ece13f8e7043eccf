"""PostgreSQL that is there and refuses: what and what to do is said, and all goes on by itself."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.brokers import Mosquitto
from tests.faults.traffic import Traffic, database_trouble
from tests.postgres import Postgres, session
from tests.services import Overfly
from tests.waiting import wait_until

SLEEPS = """
CREATE TABLE pause (seconds int NOT NULL);
INSERT INTO pause VALUES (0);
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(seconds) FROM pause; RETURN NULL; END $$;
CREATE TRIGGER pause BEFORE INSERT ON position FOR EACH STATEMENT EXECUTE FUNCTION pause();
"""
"""Storing takes as long as a test likes."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres.of_its_own({"deadlock_timeout": "200ms"}, small_disk=120) as started:
        yield started


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory, server: Postgres) -> Iterator[Traffic]:
    folder = tmp_path_factory.mktemp("refuses")
    with Mosquitto(folder / "broker") as broker:
        settings = {"DATABASE_URL": server.database_on_small_disk(), "MQTT_URL": broker.url}
        with Overfly(folder / "overfly", settings) as overfly:
            made = Traffic(broker, overfly)
            made.begin()
            made.send(20)
            made.assert_exact()
            with session(settings["DATABASE_URL"]) as connection:
                connection.execute(SLEEPS)
            yield made


@pytest.fixture
def beside(traffic: Traffic) -> Iterator[psycopg.Connection]:
    """Another session at the same database."""
    with session(traffic.overfly.settings["DATABASE_URL"], autocommit=True) as connection:
        yield connection


def waiting(beside: psycopg.Connection, event: str) -> list[int]:
    """The worker's sessions that wait for this now."""
    statement = "SELECT pid FROM pg_stat_activity WHERE application_name = 'overfly' AND wait_event = %s"
    return [pid for (pid,) in beside.execute(statement, [event])]


def told(traffic: Traffic, state: str, advice: str) -> None:
    """Waits until log and /v1/ready say so, on one line."""
    line = re.compile(rf"database: [^\n]*\({state}\): {re.escape(advice)}")
    wait_until(lambda: line.search(traffic.overfly.log), 30, lambda: traffic.overfly.log[-2000:])
    traffic.overfly.assert_running()


def test_a_disk_that_is_full(traffic: Traffic, server: Postgres) -> None:
    assert server.small_disk is not None
    assert server.process is not None
    server.small_disk.fill(server.process.pid)
    traffic.send(300, padding=1_000)
    told(traffic, "53100", "its disk is full: make room there, and all goes on by itself")
    wait_until(lambda: "its disk is full" in (database_trouble(traffic.overfly) or ""), 10)

    server.small_disk.make_room(server.process.pid)
    traffic.assert_exact()
    wait_until(lambda: database_trouble(traffic.overfly) is None, 10)


def test_a_statement_that_is_ended(traffic: Traffic, beside: psycopg.Connection) -> None:
    beside.execute("UPDATE pause SET seconds = 1000")
    traffic.send(5)
    wait_until(lambda: waiting(beside, "PgSleep"), 20)
    beside.execute("SELECT pg_cancel_backend(%s)", waiting(beside, "PgSleep"))
    told(traffic, "57014", "a statement took too long or was cancelled")
    wait_until(lambda: waiting(beside, "PgSleep"), 20)
    beside.execute("UPDATE pause SET seconds = 0")
    beside.execute("SELECT pg_terminate_backend(%s)", waiting(beside, "PgSleep"))
    wait_until(
        lambda: re.search(r"an administrator( ended the connection|; it is tried)", traffic.overfly.log), 20
    )
    traffic.assert_exact()


@pytest.mark.soak
def test_a_statement_that_takes_longer_than_it_may(traffic: Traffic, beside: psycopg.Connection) -> None:
    beside.execute("UPDATE pause SET seconds = 1000")
    traffic.send(5)
    wait_until(lambda: "due to statement timeout (57014)" in traffic.overfly.log, 90)
    wait_until(lambda: waiting(beside, "PgSleep"), 20)
    beside.execute("UPDATE pause SET seconds = 0")
    traffic.assert_exact(120)


def test_a_deadlock(traffic: Traffic, beside: psycopg.Connection) -> None:
    url = traffic.overfly.settings["DATABASE_URL"]
    with session(url, options="-c deadlock_timeout=60s") as other:
        other.execute("UPDATE device SET device_id = device_id WHERE device_id = 'd3'")
        traffic.send(5)
        wait_until(lambda: waiting(beside, "transactionid") or waiting(beside, "tuple"), 20)
        other.execute("SELECT shard FROM shard ORDER BY shard FOR UPDATE")
        told(traffic, "40P01", "another session took locks in another order; it is tried again")
    traffic.assert_exact()


@pytest.mark.soak
def test_a_migration_that_fails(traffic: Traffic, beside: psycopg.Connection, tmp_path: Path) -> None:
    """Of a version to come: nothing of it stays, and who runs goes on."""
    newer = tmp_path / "newer"
    for package in ("geofence", "ingest", "service"):
        source = Path(__file__).parents[2] / package
        shutil.copytree(source, newer / package)
    versions = newer / "service/migrations/versions"
    last = max(path.name for path in versions.glob("0*.py"))[:4]
    (versions / "9000_fails.py").write_text(
        f'revision = "9000"\ndown_revision = "{last}"\nfrom alembic import op\n'
        'def upgrade():\n    op.execute("CREATE TABLE half (n int)")\n'
        '    op.execute("ALTER TABLE outbox ADD COLUMN n int NOT NULL DEFAULT 1 / (random() * 0)::int")\n'
        '    op.execute("CREATE TABLE device (n int)")\n'
    )

    def newer_version(*command: str) -> "subprocess.CompletedProcess[str]":
        code = f"import sys; sys.path.insert(0, {str(newer)!r}); from service.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *command],
            env=traffic.overfly.environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    traffic.send(5)
    failed = newer_version("migrate")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1), failed.stderr
    assert (
        f"the migration to schema 9000 failed and changed nothing, the database stays at {last}"
        in failed.stderr
    )
    assert beside.execute("SELECT to_regclass('half')").fetchone() == (None,)
    refused = newer_version("serve", "--port", "0")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    assert f"the database is at schema {last}, this version wants 9000" in refused.stderr
    traffic.send(5)
    traffic.assert_exact()


def test_tables_that_are_away_while_a_copy_is_restored(traffic: Traffic, beside: psycopg.Connection) -> None:
    beside.execute("ALTER TABLE position RENAME TO position_elsewhere")
    traffic.send(5)
    told(traffic, "42P01", "its tables are not there: was a copy restored, is it the right database?")
    time.sleep(1)  # for some more tries, each refused: that all goes on after many is the claim
    beside.execute("ALTER TABLE position_elsewhere RENAME TO position")
    traffic.assert_exact()


def test_said_is_nothing_of_what_was_stored(traffic: Traffic) -> None:
    """After all of the above."""
    assert "Traceback" not in traffic.overfly.log
    assert "xxxx" not in traffic.overfly.log
    assert "INSERT" not in traffic.overfly.log
