"""Several processes at one PostgreSQL: one evaluates, and one that was replaced writes nothing."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.exact_flights import Flown, assert_exact, replay, stored_rows
from tests.postgres import Postgres
from tests.services import Overfly
from tests.waiting import wait_until

LEASE = {"LEASE_SECONDS": "2"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.fixture
def workers(tmp_path: Path, postgres: Postgres, broker: Mosquitto) -> Iterator[list[Overfly]]:
    """Two that are not started yet, at one database and one session of the broker."""
    common = {"DATABASE_URL": postgres.empty_database(), "MQTT_URL": broker.url, **LEASE}
    made = [Overfly(tmp_path / name, {**common, "WORKER_ID": name}) for name in ("one", "two")]
    yield made
    for each in made:
        if each.process is not None:
            each.process.send_signal(signal.SIGCONT)
        each.kill()


def flying(worker: Overfly, flown: Flown, broker: Mosquitto) -> "subprocess.Popen[bytes]":
    """The publisher, when a third of its flights is stored by a worker that is started for it."""
    worker.start()
    worker.put_geofences(flown.geofences)
    publisher = replay(flown, broker)
    wait_until(lambda: stored_rows(worker) > flown.count // 3, 60)
    return publisher


def test_a_second_worker_is_told_who_is_there_and_goes_on_where_that_one_ended(
    workers: list[Overfly], dawn: Flown, broker: Mosquitto
) -> None:
    one, two = workers
    publisher = flying(one, dawn, broker)
    two.launch()
    assert two.process is not None
    assert two.process.wait(60) == 1
    assert "worker 'one' owns 64 of 64 shards" in two.log
    two.process = None

    assert one.stop() == 0
    two.start()  # at once: it was given back
    wait_until(lambda: stored_rows(two) > 2 * dawn.count // 3, 60)
    two.kill()
    two.start()  # at once: it has the same name
    assert publisher.wait(120) == 0
    wait_until(lambda: stored_rows(two) == dawn.count, 60)
    assert_exact(two, dawn)


@pytest.mark.soak
def test_a_worker_paused_past_its_lease_writes_nothing_says_so_and_ends(
    workers: list[Overfly], morning: Flown, broker: Mosquitto
) -> None:
    one, two = workers
    publisher = flying(one, morning, broker)
    assert one.process is not None
    one.process.send_signal(signal.SIGSTOP)
    before = stored_rows(one)
    assert before < morning.count

    def started() -> bool:
        two.launch()
        assert two.process is not None
        try:
            wait_until(lambda: stored_rows(two) > before or two.process.poll() is not None, 60)
        except AssertionError:
            return False
        if two.process.poll() is None:
            return True
        two.process = None
        return False

    wait_until(started, 60)
    one.process.send_signal(signal.SIGCONT)
    assert one.process.wait(60) == 1
    one.process = None
    assert "taken over from worker 'one'" in one.log
    assert publisher.wait(120) == 0
    wait_until(lambda: stored_rows(two) == morning.count, 60)
    assert_exact(two, morning)
