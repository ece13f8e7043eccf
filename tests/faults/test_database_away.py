"""PostgreSQL that goes away under a worker: input waits at the broker, memory is flat, all goes on again."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.brokers import Mosquitto
from tests.faults.traffic import Traffic, database_trouble
from tests.postgres import Postgres
from tests.services import Overfly
from tests.waiting import wait_until

PADDING = 3_000
FLAT = 24 << 20
"""Bytes; far less than what waits, and more than what batches in hand take."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One of few connections."""
    with Postgres.of_its_own({"max_connections": "30"}) as started:
        yield started


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory, server: Postgres) -> Iterator[Traffic]:
    folder = tmp_path_factory.mktemp("away")
    with Mosquitto(folder / "broker") as broker:
        settings = {"DATABASE_URL": server.new_database(), "MQTT_URL": broker.url, "LEASE_SECONDS": "5"}
        with Overfly(folder / "overfly", settings) as overfly:
            made = Traffic(broker, overfly)
            made.begin()
            made.send(50, PADDING)
            made.assert_exact()
            yield made


def processor_seconds(overfly: Overfly) -> float:
    assert overfly.process is not None
    fields = Path(f"/proc/{overfly.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("seconds", "rounds"), [(10, 450), pytest.param(300, 3_000, marks=pytest.mark.soak)])
def test_a_server_that_is_down_for_a_while(
    traffic: Traffic, server: Postgres, seconds: float, rounds: int
) -> None:
    overfly = traffic.overfly
    server.stop()
    began, spent = time.monotonic(), processor_seconds(overfly)
    before, levels = overfly.memory, []
    traffic.send(rounds, PADDING)  # which takes its time, on a busy machine
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        overfly.assert_running()
        levels.append(overfly.memory)
        time.sleep(0.5)  # between two looks at its memory
    assert rounds * traffic.devices * PADDING > FLAT, "too little waits to tell"
    assert max(levels) < before + FLAT, (before, levels)
    assert processor_seconds(overfly) - spent < (time.monotonic() - began) / 3, "it spins"
    trouble = database_trouble(overfly) or ""
    assert trouble.endswith("Connection refused: is it running, and is this its address?")
    assert "\n" not in trouble
    assert json.dumps(trouble) in overfly.log

    server.start()
    traffic.assert_exact(60 + seconds)
    wait_until(lambda: database_trouble(overfly) is None, 10)
    assert overfly.log.count("tracker.store_back") > 0


def test_a_server_that_is_killed_and_comes_back(traffic: Traffic, server: Postgres) -> None:
    for _ in range(2):
        traffic.send(20)
        server.kill()
        traffic.send(20)
        server.start()
    traffic.assert_exact()


def test_a_server_whose_connections_others_took(traffic: Traffic, server: Postgres) -> None:
    others: list[psycopg.Connection] = []
    at = f"postgresql://overfly@127.0.0.1:{server.port}/postgres"

    def take_all() -> None:
        try:
            while True:
                others.append(psycopg.connect(at, autocommit=True))
        except psycopg.OperationalError:
            return

    def told() -> bool:
        """What the worker has is taken away, and before it comes back others are there."""
        others[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'overfly'"
        )
        take_all()
        return "raise max_connections" in (database_trouble(traffic.overfly) or "")

    take_all()
    wait_until(told, 30, lambda: database_trouble(traffic.overfly))
    traffic.send(20)
    wait_until(lambda: "too many clients already: others have all" in traffic.overfly.log, 10)

    newcomer = Overfly(traffic.overfly.folder.parent / "newcomer", traffic.overfly.settings)
    newcomer.launch()
    assert newcomer.process is not None
    assert newcomer.process.wait(30) == 1
    assert newcomer.log.startswith("overfly: database: connection failed")
    assert newcomer.log.count("\n") == 1

    for each in others:
        each.close()
    traffic.assert_exact()
