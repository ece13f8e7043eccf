"""Several trackers at one PostgreSQL: exactly the expected events, whoever dies, is paused or comes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.exact_flights import Flown, assert_exact, replay, stored_rows
from tests.hops import Hop
from tests.postgres import Postgres
from tests.stand_in import DESTINATION, SOURCE, StandIn
from tests.told import Told
from tests.trackers import LEASE_SECONDS, Road, Trackers
from tests.waiting import wait_until
from tests.way import VISIBILITY_SECONDS, Cloud

PATIENCE = 240
pytestmark = pytest.mark.timeout(600)


@contextmanager
def topics_by_shard(folder: Path) -> Iterator[Road]:
    with Mosquitto(folder / "broker") as broker:
        settings = {"MQTT_URL": broker.url, "TOPICS": "overfly/positions/+"}
        yield Road(broker, ["--by-shard"], settings, {})


@contextmanager
def fifo_queue(folder: Path) -> Iterator[Road]:
    with queue(folder, fifo=True) as road:
        yield road


@contextmanager
def standard_queue(folder: Path) -> Iterator[Road]:
    with queue(folder, fifo=False) as road:
        yield road


@contextmanager
def queue(folder: Path, *, fifo: bool) -> Iterator[Road]:
    with StandIn(folder / "stand_in") as aws, Mosquitto(folder / "broker") as broker:
        url = Cloud.make(aws, fifo=fifo).queue_url
        feeding = {"SOURCE_MQTT_URL": broker.url, "QUEUE_URL": url}
        settings = {
            "TRACK_FROM": "queue",
            "QUEUE_URL": url,
            "REORDER_SECONDS": str(0 if fifo else VISIBILITY_SECONDS + 10),
        }
        with Hop("bridge", folder / "bridge", feeding, aws.environment(SOURCE)):
            yield Road(broker, [], settings, aws.environment(DESTINATION))


@pytest.fixture
def road(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Road]:
    with request.param(tmp_path) as made:
        yield made


@pytest.fixture
def trackers(tmp_path: Path, postgres: Postgres, road: Road) -> Iterator[Trackers]:
    made = Trackers(tmp_path, road, postgres.empty_database())
    with ExitStack() as stack:
        stack.callback(made.end)
        made.api.start()
        yield made


@pytest.mark.parametrize("flown", ["dawn", pytest.param("whole_day", marks=pytest.mark.soak)], indirect=True)
@pytest.mark.parametrize(
    "road",
    [
        topics_by_shard,
        pytest.param(fifo_queue, marks=pytest.mark.soak),
        pytest.param(standard_queue, marks=pytest.mark.soak),
    ],
    indirect=True,
)
def test_trackers_killed_paused_and_added_lose_and_invent_nothing(
    road: Road, trackers: Trackers, flown: Flown
) -> None:
    with Told(road.broker) as told:
        fly(road, trackers, flown)
        wait_until(lambda: len(told.events) == len(flown.event_ids), PATIENCE)
    told.assert_exact(flown)


def fly(road: Road, trackers: Trackers, flown: Flown) -> None:
    """Replays, and disturbs the trackers on the way."""
    trackers.api.put_geofences(flown.geofences)
    for name in ("one", "two", "three", "four"):
        trackers.add(name)
    for name in ("teller", "second teller"):
        trackers.add(name, "dispatch")
    publisher = replay(flown, road.broker, *road.publishing)
    one, two, three = (trackers.all[name] for name in ("one", "two", "three"))

    def stored(part: int) -> None:
        wait_until(
            lambda: stored_rows(trackers.api) >= part * flown.count // 8,
            PATIENCE,
            lambda: f"{stored_rows(trackers.api):,} positions stored",
        )

    stored(1)
    one.kill()
    one.start()  # of the same name
    stored(2)
    trackers.all["teller"].kill()
    two.pause()
    time.sleep(LEASE_SECONDS * 1.5)  # paused beyond its lease: others take over what it had
    stored(4)
    two.resume()
    trackers.add("five")
    stored(5)
    three.kill()
    stored(6)
    assert trackers.all["four"].stop() == 0
    _, said = publisher.communicate(timeout=PATIENCE)
    assert publisher.returncode == 0, said
    stored(8)
    expected = len(flown.event_ids)
    wait_until(lambda: trackers.events() >= expected, PATIENCE)
    assert_exact(trackers.api, flown)
    assert two.process is not None
    assert two.process.poll() is None  # it lost its shards, and went on
