"""Events put on a bus at the stand-in, through a proxy that refuses as AWS may."""

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geofence.reading.geojson import read_geofences
from ingest.timestamps import iso
from service.dispatch.event_bus import EventBus
from service.dispatch.eventbridge_channel import EventBridgeChannel
from service.dispatch.outbox import Dispatcher
from service.errors import SettingsError
from service.location.arns import Home
from service.location.geometry_rules import given_geofence
from tests.service.dispatch.airfield import Airfield, rounds
from tests.service.dispatch.cloud import CloudProxy, CloudQueue, queue_behind_bus
from tests.stand_in import DESTINATION, REGION, StandIn
from tests.stores import Store

HOME = f"arn:aws:geo:{REGION}:{DESTINATION}"


@pytest.fixture
def airfield(sqlite_store: Store) -> Airfield:
    return Airfield(sqlite_store, ["eventbridge"])


@pytest.fixture
def bus() -> str:
    return f"bus-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def queue(aws: StandIn, bus: str) -> CloudQueue:
    return queue_behind_bus(aws, bus)


@pytest.fixture
def dispatcher(proxy: CloudProxy, airfield: Airfield, bus: str) -> Iterator[Dispatcher]:
    channel = EventBridgeChannel(EventBus(bus, "overfly"))
    yield airfield.dispatcher(channel)
    channel.close()


def details(queue: CloudQueue) -> list[dict[str, Any]]:
    return [each["detail"] for each in queue.take()]


def test_an_event_is_put_as_amazon_location_would(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy, bus: str
) -> None:
    airfield.cross("4067f2", callsign="TOM2XE", altitude=600.5, onGround=False, accuracy=15.3)
    rounds(dispatcher)

    time = airfield.workshop.began + 1
    (received,) = queue.take()
    (event_id,) = airfield.workshop.event_ids()
    assert {name: received[name] for name in ("source", "detail-type", "resources", "detail")} == {
        "source": "overfly",
        "detail-type": "Location Geofence Event",
        "resources": [f"{HOME}:geofence-collection/default", f"{HOME}:tracker/default"],
        "detail": {
            "EventType": "ENTER",
            "GeofenceId": "LSZH",
            "DeviceId": "4067f2",
            "SampleTime": iso(time),
            "Position": [8.55, 47.45],
            "Accuracy": {"Horizontal": 15.3},
            "PositionProperties": {"callsign": "TOM2XE", "altitude": "600.5", "onGround": "false"},
            "GeofenceProperties": {"name": "Zürich Airport", "radius": "5000"},
            "EventId": event_id,
        },
    }
    (entry,) = proxy.entries
    assert entry["Time"] == pytest.approx(time / 1000, abs=1)
    (alert,) = airfield.alerts()
    assert (alert["channel"], alert["recipient"], alert["status"]) == ("eventbridge", bus, "sent")
    assert alert["outcome"].startswith(f"event bus {bus}: accepted as ")


def test_geofence_properties_of_amazon_locations_are_told_and_nothing_beside_them(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue
) -> None:
    circle = {"Circle": {"Center": [8.55, 47.45], "Radius": 5_000.0}}
    for device, properties in (("a", {"radius": "far", "name": "Kloten"}), ("b", None)):
        airfield.workshop.catalog.put("default", [given_geofence("LSZH", circle, properties).geofence])
        airfield.cross(device)
    rounds(dispatcher)

    first, second = details(queue)
    assert first["GeofenceProperties"] == {"radius": "far", "name": "Kloten"}
    assert "GeofenceProperties" not in second


def test_an_event_of_a_collection_alone_names_no_tracker(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue
) -> None:
    workshop = airfield.workshop
    within = workshop.catalog.tracker_in_collection("default")
    workshop.tracker.post(workshop.fix("a", 0, 8.55, 47.45).payload, within)
    workshop.tracker.evaluate_due()
    rounds(dispatcher)

    (received,) = queue.take()
    assert received["resources"] == [f"{HOME}:geofence-collection/default"]


def test_what_is_not_known_is_left_out(airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue) -> None:
    airfield.cross("a")
    rounds(dispatcher)

    (detail,) = details(queue)
    assert "Accuracy" not in detail
    assert "PositionProperties" not in detail


def test_all_events_arrive_once_and_in_order(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy
) -> None:
    devices = [f"d{number}" for number in range(60)]
    for _ in range(4):
        airfield.cross_all(devices)
    rounds(dispatcher)

    received = details(queue)
    assert sorted(each["EventId"] for each in received) == sorted(airfield.workshop.event_ids())
    for device in devices:
        types = [each["EventType"] for each in received if each["DeviceId"] == device]
        assert types == ["ENTER", "EXIT"] * 2
    assert set(airfield.statuses()) == {"sent"}
    assert proxy.requests == 1 + 4 * 6  # a look at the bus, and ten events a request


def test_nothing_overtakes_an_event_of_its_device_that_was_throttled(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy
) -> None:
    proxy.refuses = lambda detail: ("ThrottlingException", "slow down") if detail["DeviceId"] == "a" else None
    airfield.cross_all(["a", "b"])
    airfield.cross_all(["a", "b"])
    rounds(dispatcher)
    assert [f"{each['DeviceId']} {each['EventType']}" for each in details(queue)] == ["b ENTER", "b EXIT"]
    assert airfield.statuses() == ["pending", "sent", "pending", "sent"]
    assert [each["attempts"] for each in airfield.alerts()] == [1, 1, 0, 1]
    assert airfield.alerts()[0]["outcome"].endswith("ThrottlingException: slow down")

    proxy.refuses = lambda _: None
    airfield.clock.now += 5000
    rounds(dispatcher)
    assert [f"{each['DeviceId']} {each['EventType']}" for each in details(queue)] == ["a ENTER", "a EXIT"]
    assert set(airfield.statuses()) == {"sent"}


FAULTS = [
    (500, "InternalFailure"),
    (503, "ServiceUnavailable"),
    (400, "ThrottlingException"),
    (400, "AccessDeniedException"),
    (403, "ExpiredTokenException"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_that_fails_as_a_whole_is_made_again(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy, fault: tuple[int, str]
) -> None:
    proxy.faults = [fault] * 2
    airfield.cross_all(["a", "b"])
    for _ in range(3):
        rounds(dispatcher)
        airfield.clock.now += 5000

    assert [each["EventId"] for each in details(queue)] == airfield.workshop.event_ids()
    assert {(each["status"], each["attempts"]) for each in airfield.alerts()} == {("sent", 3)}


def test_events_wait_for_a_bus_that_does_not_exist_yet(
    airfield: Airfield, dispatcher: Dispatcher, aws: StandIn, bus: str, proxy: CloudProxy
) -> None:
    airfield.cross("a")
    rounds(dispatcher)
    (waiting,) = airfield.alerts()
    assert waiting["status"] == "pending"
    assert "ResourceNotFoundException" in waiting["outcome"]
    assert proxy.entries == []  # AWS would take it, and drop it

    queue = queue_behind_bus(aws, bus)
    airfield.clock.now += 5000
    rounds(dispatcher)
    assert [each["EventId"] for each in details(queue)] == airfield.workshop.event_ids()


def test_a_bus_that_refused_an_entry_is_looked_at_again_so_that_one_deleted_meanwhile_swallows_nothing(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, aws: StandIn, proxy: CloudProxy, bus: str
) -> None:
    proxy.refuses = lambda _: ("InternalFailure", "no")
    airfield.cross("a")
    rounds(dispatcher)
    assert airfield.statuses() == ["pending"]

    proxy.refuses = lambda _: None
    events = aws.client("events")
    events.remove_targets(Rule=f"all-{bus}", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name=f"all-{bus}", EventBusName=bus)
    events.delete_event_bus(Name=bus)
    airfield.clock.now += 5000
    rounds(dispatcher)

    assert airfield.statuses() == ["pending"]
    assert "DescribeEventBus: ResourceNotFound" in airfield.alerts()[0]["outcome"]
    assert queue.take() == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotAuthorizedForSourceException"])
def test_a_right_that_is_not_granted_is_an_operators_to_mend(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy, code: str
) -> None:
    proxy.refuses = lambda _: (code, "not yours")
    airfield.cross("a")
    rounds(dispatcher)

    assert airfield.statuses() == ["pending"]


def test_an_event_refused_for_its_data_fails_and_the_next_goes_on(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy, bus: str
) -> None:
    proxy.refuses = lambda detail: (
        ("MalformedDetail", "Detail is malformed.") if detail["EventType"] == "ENTER" else None
    )
    airfield.cross("a")
    airfield.cross("a")
    rounds(dispatcher)

    assert [each["EventType"] for each in details(queue)] == ["EXIT"]
    assert airfield.statuses() == ["failed", "sent"]
    failed = f"event bus {bus}: MalformedDetail: Detail is malformed."
    assert airfield.alerts()[0]["outcome"] == failed


def test_one_event_for_which_all_ten_are_refused_is_found(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy
) -> None:
    proxy.refuses_request = lambda body: b"culprit" in body
    airfield.cross_all(["a", "b", "culprit", "c"])
    rounds(dispatcher)

    assert [each["DeviceId"] for each in details(queue)] == ["a", "b", "c"]
    assert airfield.statuses() == ["sent", "sent", "failed", "sent"]


def test_an_event_that_is_too_large_goes_without_properties_and_says_so(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue
) -> None:
    long = "x" * 255_000
    fence = json.loads(AIRPORT_OF_LONG_NAME.replace("LONG", long))
    airfield.workshop.catalog.put("default", read_geofences(json.dumps(fence).encode()))
    airfield.cross("a", note="y" * 8_000)
    airfield.cross("b", note="short")
    rounds(dispatcher)
    first, second = sorted(details(queue), key=lambda each: each["DeviceId"])
    assert "PositionProperties" not in first
    assert first["GeofenceProperties"]["remark"] == second["GeofenceProperties"]["remark"] == long
    assert second["PositionProperties"] == {"note": "short"}
    assert "without PositionProperties: 263," in airfield.alerts()[0]["outcome"]

    fence["features"][0]["properties"]["remark"] = long * 2
    airfield.workshop.catalog.put("default", read_geofences(json.dumps(fence).encode()))
    airfield.cross("c", note="short")
    rounds(dispatcher)
    (third,) = details(queue)
    assert (third["DeviceId"], "PositionProperties" in third, "GeofenceProperties" in third) == (
        "c",
        False,
        False,
    )
    assert "without PositionProperties and GeofenceProperties" in airfield.alerts()[2]["outcome"]


AIRPORT_OF_LONG_NAME = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "LSZH", '
    '"properties": {"remark": "LONG", "radius": 5000}, '
    '"geometry": {"type": "Point", "coordinates": [8.55, 47.45]}}]}'
)


def test_a_bus_that_may_not_be_looked_at_is_taken_to_be_there(
    airfield: Airfield, dispatcher: Dispatcher, queue: CloudQueue, proxy: CloudProxy
) -> None:
    proxy.hides_the_bus = True
    airfield.cross("a")
    rounds(dispatcher)

    (received,) = queue.take()
    assert received["resources"] == [f"{HOME}:geofence-collection/default", f"{HOME}:tracker/default"]


def test_a_bus_named_by_its_arn_is_not_looked_at(
    airfield: Airfield, queue: CloudQueue, proxy: CloudProxy, bus: str
) -> None:
    channel = EventBridgeChannel(EventBus(f"arn:aws:events:{REGION}:{DESTINATION}:event-bus/{bus}", "fleet"))
    airfield.cross("a")
    rounds(airfield.dispatcher(channel))
    channel.close()

    (received,) = queue.take()
    assert received["source"] == "fleet"
    assert received["resources"] == [f"{HOME}:geofence-collection/default", f"{HOME}:tracker/default"]
    assert proxy.requests == 1


@pytest.mark.usefixtures("proxy")
def test_resources_are_where_the_api_says_that_they_are_if_it_was_told(
    airfield: Airfield, queue: CloudQueue, bus: str
) -> None:
    home = Home("123456789012", "eu-west-1")
    channel = EventBridgeChannel(EventBus(bus, "overfly", home=home))
    airfield.cross("a")
    rounds(airfield.dispatcher(channel))
    channel.close()

    (received,) = queue.take()
    prefix = "arn:aws:geo:eu-west-1:123456789012"
    assert received["resources"] == [f"{prefix}:geofence-collection/default", f"{prefix}:tracker/default"]


@pytest.mark.parametrize("name", ["", "a b", "arn:aws:sns:eu-central-1:222222222222:topic"])
def test_what_is_no_bus_is_refused_at_start(name: str) -> None:
    with pytest.raises(SettingsError, match="expected its name"):
        EventBus(name, "overfly")


def test_a_bus_without_a_region_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="region"):
        EventBus("bus", "overfly")


DISPATCH = """
import json, sys, threading
from service.dispatch.event_bus import EventBus
from service.dispatch.eventbridge_channel import EventBridgeChannel
from service.dispatch.outbox import Dispatcher
from service.metrics import Metrics
from service.timestamps import now
from tests.stores import opened
store, bus = json.loads(sys.argv[1])
channel = EventBridgeChannel(EventBus(bus, "overfly"))
Dispatcher(opened(store), channel, now, Metrics()).run(threading.Event())
"""


def test_killed_before_it_could_note_what_was_taken_it_puts_the_same_events_again(
    airfield: Airfield, queue: CloudQueue, proxy: CloudProxy, bus: str, repository: Path
) -> None:
    airfield.cross_all(["a", "b"])
    argument = json.dumps([airfield.workshop.store.name, bus])
    process = subprocess.Popen([sys.executable, "-c", DISPATCH, argument], cwd=repository)
    killed = threading.Event()

    def kill() -> None:
        process.kill()
        process.wait(10)
        killed.set()

    proxy.taken = kill
    assert killed.wait(30)
    assert airfield.statuses() == ["pending", "pending"]
    proxy.taken = lambda: None
    airfield.clock.now = airfield.alerts()[0]["created_time"] + 5000
    channel = EventBridgeChannel(EventBus(bus, "overfly"))
    rounds(airfield.dispatcher(channel))
    channel.close()

    assert airfield.statuses() == ["sent", "sent"]
    assert [each["EventId"] for each in details(queue)] == airfield.workshop.event_ids() * 2
