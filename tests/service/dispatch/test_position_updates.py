"""Positions put on a bus at the stand-in, where a tracker asks for it."""

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ingest.timestamps import iso
from service.dispatch.event_bus import EventBus
from service.dispatch.position_updates import PositionUpdates
from service.store.positions import delete_positions_before
from service.store.schema import device, position_update
from tests.service.dispatch.cloud import CloudProxy, CloudQueue, queue_behind_bus
from tests.service.workshop import Workshop
from tests.stand_in import DESTINATION, REGION, StandIn
from tests.stores import Store
from tests.waiting import wait_until

TRACKER = f"arn:aws:geo:{REGION}:{DESTINATION}:tracker/default"


@pytest.fixture
def workshop(store: Store) -> Workshop:
    made = Workshop(store, telling_positions=True)
    made.catalog.update_tracker("default", position_events=True)
    return made


@pytest.fixture
def bus() -> str:
    return f"bus-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def queue(aws: StandIn, bus: str) -> CloudQueue:
    return queue_behind_bus(aws, bus)


@pytest.fixture
def updates(workshop: Workshop, proxy: CloudProxy, bus: str) -> Iterator[PositionUpdates]:
    made = EventBus(bus, "overfly")
    yield PositionUpdates(workshop.database, made, workshop.metrics)
    made.close()


def waiting(workshop: Workshop) -> int:
    with workshop.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(position_update)) or 0


def told(workshop: Workshop, outcome: str) -> float:
    return workshop.metrics.position_updates.labels(outcome)._value.get()


def places(workshop: Workshop, details: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """(device, longitude) in the order of arrival."""
    return [(each["DeviceId"], round(each["Position"][0])) for each in details]


def details(queue: CloudQueue) -> list[dict[str, Any]]:
    return [each["detail"] for each in queue.take()]


def test_a_position_is_put_as_amazon_location_would(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue
) -> None:
    workshop.ingest(workshop.fix("a", 0, 8.5, 47.5, accuracy=10, callsign="SWR1", speed=225.4))
    updates.round()

    (received,) = queue.take()
    with workshop.database.read() as connection:
        received_time = connection.scalar(select(device.c.received_time))
    assert received_time is not None
    assert {name: received[name] for name in ("source", "detail-type", "resources", "detail")} == {
        "source": "overfly",
        "detail-type": "Location Device Position Event",
        "resources": [TRACKER],
        "detail": {
            "EventType": "UPDATE",
            "TrackerName": "default",
            "DeviceId": "a",
            "SampleTime": iso(workshop.began),
            "ReceivedTime": iso(received_time),
            "Position": [8.5, 47.5],
            "Accuracy": {"Horizontal": 10},
            "PositionProperties": {"callsign": "SWR1", "speed": "225.4"},
        },
    }
    assert waiting(workshop) == 0


def test_each_position_stored_is_put_once_and_in_order(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue
) -> None:
    devices = [f"d{number}" for number in range(25)]
    for turn in range(4):
        fixes = [workshop.fix(each, turn, turn) for each in devices]
        workshop.ingest(*fixes)
        workshop.ingest(*fixes)  # delivered again
    workshop.ingest(workshop.fix("d0", 3, 99))  # a conflict
    while updates.round():
        pass

    arrived = places(workshop, details(queue))
    assert sorted(arrived) == sorted((each, turn) for each in devices for turn in range(4))
    for each in devices:
        assert [longitude for name, longitude in arrived if name == each] == [0, 1, 2, 3]
    assert told(workshop, "sent") == 100
    assert updates.waiting == 0


def test_fixes_of_one_batch_are_put_by_their_sample_time(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue
) -> None:
    workshop.ingest(*[workshop.fix("a", turn, turn) for turn in (2, 0, 1)])
    updates.round()

    assert places(workshop, details(queue)) == [("a", 0), ("a", 1), ("a", 2)]


def test_a_position_that_waits_for_its_turn_is_put_at_once(
    store: Store, proxy: CloudProxy, queue: CloudQueue, bus: str
) -> None:
    workshop = Workshop(store, window=30, telling_positions=True)
    workshop.catalog.update_tracker("default", position_events=True)
    workshop.ingest(workshop.fix("a", 1, 1))
    workshop.ingest(workshop.fix("a", 0, 0))
    made = EventBus(bus, "overfly")
    PositionUpdates(workshop.database, made, workshop.metrics).round()
    made.close()

    assert places(workshop, details(queue)) == [("a", 1), ("a", 0)]


def test_where_no_tracker_asks_or_no_bus_is_set_nothing_is_written(
    workshop: Workshop, new_store: Callable[[], Store]
) -> None:
    workshop.catalog.update_tracker("default", position_events=False)
    workshop.ingest(workshop.fix("a", 0, 0))
    assert waiting(workshop) == 0

    without_bus = Workshop(new_store())
    without_bus.catalog.update_tracker("default", position_events=True)
    without_bus.ingest(without_bus.fix("a", 0, 0))
    assert waiting(without_bus) == 0


def test_a_device_that_is_throttled_waits_in_order_and_delays_no_other(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue, proxy: CloudProxy
) -> None:
    proxy.refuses = lambda detail: ("ThrottlingException", "slow down") if detail["DeviceId"] == "a" else None
    for turn in range(2):
        workshop.ingest(workshop.fix("a", turn, turn), workshop.fix("b", turn, turn))
    updates.round()
    assert places(workshop, details(queue)) == [("b", 0), ("b", 1)]
    assert "ThrottlingException: slow down" in updates.trouble
    assert waiting(workshop) == 2

    proxy.refuses = lambda _: None
    updates.round()
    assert places(workshop, details(queue)) == [("a", 0), ("a", 1)]
    assert updates.trouble == ""


def test_what_is_refused_for_its_data_is_counted_and_holds_nothing_up(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue, proxy: CloudProxy
) -> None:
    proxy.refuses = lambda detail: ("MalformedDetail", "no") if detail["Position"][0] == 0 else None
    for turn in range(2):
        workshop.ingest(workshop.fix("a", turn, turn))
    updates.round()

    assert places(workshop, details(queue)) == [("a", 1)]
    assert (told(workshop, "permanent"), told(workshop, "sent"), waiting(workshop)) == (1, 1, 0)


def test_what_is_forgotten_or_too_old_to_be_kept_is_not_put(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue
) -> None:
    workshop.ingest(*[workshop.fix(name, 0, 0) for name in ("forgotten", "old", "kept")])
    workshop.tracker.forget("default", "forgotten")
    assert waiting(workshop) == 2
    with workshop.database.write() as connection:
        key = connection.scalar(select(device.c.key).where(device.c.device_id == "old"))
        assert key is not None
        delete_positions_before(connection, key, workshop.began + 1)
    updates.round()

    assert places(workshop, details(queue)) == [("kept", 0)]
    assert (told(workshop, "gone"), waiting(workshop)) == (1, 0)


def test_no_more_wait_than_may_and_the_oldest_are_dropped(
    workshop: Workshop, proxy: CloudProxy, queue: CloudQueue, bus: str
) -> None:
    proxy.faults = [(500, "InternalFailure")] * 100
    made = EventBus(bus, "overfly")
    updates = PositionUpdates(workshop.database, made, workshop.metrics, at_most=3)
    for turn in range(5):
        workshop.ingest(workshop.fix("a", turn, turn))
    updates.round()
    assert waiting(workshop) == 3
    assert told(workshop, "dropped") == 2

    proxy.faults = []
    updates.round()
    made.close()
    assert places(workshop, details(queue)) == [("a", 2), ("a", 3), ("a", 4)]


def test_run_puts_what_comes_when_it_is_woken_and_stops_quickly(
    workshop: Workshop, updates: PositionUpdates, queue: CloudQueue
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=updates.run, args=[stop])
    thread.start()
    workshop.ingest(workshop.fix("a", 0, 0))
    updates.wake()
    wait_until(lambda: not waiting(workshop), 10)
    stop.set()
    updates.wake()
    thread.join(3)

    assert not thread.is_alive()
    assert places(workshop, details(queue)) == [("a", 0)]


DISPATCH = """
import json, sys, threading
from service.dispatch.event_bus import EventBus
from service.dispatch.position_updates import PositionUpdates
from service.metrics import Metrics
from tests.stores import opened
store, bus = json.loads(sys.argv[1])
PositionUpdates(opened(store), EventBus(bus, "overfly"), Metrics()).run(threading.Event())
"""


def test_killed_before_it_could_note_what_was_taken_it_puts_the_same_positions_again(
    workshop: Workshop,
    updates: PositionUpdates,
    queue: CloudQueue,
    proxy: CloudProxy,
    bus: str,
    repository: Path,
) -> None:
    workshop.ingest(workshop.fix("a", 0, 0), workshop.fix("b", 0, 0))
    argument = json.dumps([workshop.store.name, bus])
    process = subprocess.Popen([sys.executable, "-c", DISPATCH, argument], cwd=repository)
    killed = threading.Event()

    def kill() -> None:
        process.kill()
        process.wait(10)
        killed.set()

    proxy.taken = kill
    assert killed.wait(30)
    assert waiting(workshop) == 2
    proxy.taken = lambda: None
    updates.round()

    assert places(workshop, details(queue)) == [("a", 0), ("b", 0)] * 2
    assert waiting(workshop) == 0
