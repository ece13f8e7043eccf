"""Events published at a real Mosquitto, and at a broker that says what Mosquitto never does."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt

from ingest.mqtt.connection import EndpointError, MqttEndpoint, Protocol
from service.dispatch.mqtt_channel import MqttChannel
from service.dispatch.outbox import Dispatcher
from tests.brokers import Mosquitto
from tests.service.dispatch.airfield import Airfield, rounds
from tests.service.dispatch.post_office import raw_server
from tests.stores import Store
from tests.waiting import wait_until

TOPIC = "overfly/events/default/LSZH"


class Listener:
    """Subscribes to all events with a session that stays."""

    def __init__(self, broker: Mosquitto) -> None:
        self.messages: list[mqtt.MQTTMessage] = []
        self._broker = broker
        self._subscribed = threading.Event()
        self._client = MqttEndpoint(broker.url, client_id="listener").client(persistent=True)
        self._client.on_message = lambda _client, _data, message: self.messages.append(message)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self.connect()

    def connect(self) -> None:
        self._subscribed.clear()
        self._client.reconnect()
        self._client.loop_start()
        wait_until(self._client.is_connected, 5)
        self._client.subscribe("overfly/events/#", qos=1)
        assert self._subscribed.wait(5)

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def events(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """What came, when so many have."""
        deadline = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return [json.loads(message.payload) for message in self.messages]


@pytest.fixture
def airfield(sqlite_store: Store) -> Airfield:
    return Airfield(sqlite_store, ["mqtt"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def dispatcher_to(airfield: Airfield, url: str, protocol: Protocol = "5", **options: Any) -> Dispatcher:
    endpoint = MqttEndpoint(url, protocol=protocol, client_id="overfly-events", **options)
    return airfield.dispatcher(MqttChannel(endpoint))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_each_event_is_published_in_order_and_not_retained(
    airfield: Airfield, broker: Mosquitto, protocol: Protocol
) -> None:
    listener = Listener(broker)
    for _ in range(3):
        airfield.cross_all([f"d{number}" for number in range(100)])
    rounds(dispatcher_to(airfield, broker.url, protocol))

    events = listener.events(300)
    listener.disconnect()
    assert sorted(each["eventId"] for each in events) == sorted(airfield.workshop.event_ids())
    assert [each["eventType"] for each in events if each["deviceId"] == "d7"] == ["ENTER", "EXIT", "ENTER"]
    assert list(events[0]) == [
        *("eventId", "eventType", "trackerName", "collectionName", "deviceId", "geofenceId"),
        *("sampleTime", "position"),
    ]
    assert {(message.topic, message.qos, message.retain) for message in listener.messages} == {
        (TOPIC, 1, False)
    }
    assert set(airfield.statuses()) == {"sent"}
    assert {each["recipient"] for each in airfield.alerts()} == {TOPIC}


def test_an_event_that_nobody_subscribes_to_says_so(airfield: Airfield, broker: Mosquitto) -> None:
    airfield.cross("a")
    rounds(dispatcher_to(airfield, broker.url))

    (alert,) = airfield.alerts()
    assert alert["status"] == "sent"
    assert alert["outcome"].endswith("(0x10): nobody subscribes to it")


def test_events_wait_for_a_broker_that_is_away(airfield: Airfield, broker: Mosquitto) -> None:
    listener = Listener(broker)
    listener.disconnect()
    broker.stop()
    dispatcher = dispatcher_to(airfield, broker.url)
    airfield.cross_all(["a", "b"])
    rounds(dispatcher)
    airfield.cross("a")
    assert airfield.statuses() == ["pending", "pending"]
    assert airfield.alerts()[0]["outcome"].endswith("Connection refused")

    broker.start()
    listener.connect()
    for _ in range(3):
        airfield.clock.now += 5000
        rounds(dispatcher)
    assert [each["eventId"] for each in listener.events(3)] == airfield.workshop.event_ids()
    listener.disconnect()


def test_a_broker_that_ends_on_the_way_loses_and_reorders_nothing(
    airfield: Airfield, broker: Mosquitto
) -> None:
    listener = Listener(broker)
    devices = [f"d{number}" for number in range(200)]
    for _ in range(4):
        airfield.cross_all(devices)
    dispatcher = dispatcher_to(airfield, broker.url)
    thread = threading.Thread(target=rounds, args=[dispatcher])
    thread.start()
    listener.events(20)
    broker.stop()
    thread.join(30)
    listener.disconnect()
    broker.start()
    listener.connect()
    airfield.clock.now += 5000
    rounds(dispatcher)

    assert set(airfield.statuses()) == {"sent"}
    expected = set(airfield.workshop.event_ids())
    wait_until(lambda: {each["eventId"] for each in listener.events(800)} == expected, 10)
    events = {each["eventId"]: each for each in listener.events(800)}
    listener.disconnect()
    assert set(events) == expected
    for device in devices:
        types = [each["eventType"] for each in events.values() if each["deviceId"] == device]
        assert types == ["ENTER", "EXIT"] * 2


def test_a_connection_that_ended_while_nothing_was_to_be_sent_costs_no_attempt(
    airfield: Airfield, broker: Mosquitto
) -> None:
    channel = MqttChannel(MqttEndpoint(broker.url, client_id="overfly-events"))
    dispatcher = airfield.dispatcher(channel)
    airfield.cross("a")
    rounds(dispatcher)
    broker.restart()
    channel.rest()
    airfield.cross("a")
    rounds(dispatcher)
    channel.close()

    assert [each["attempts"] for each in airfield.alerts()] == [1, 1]


def test_what_the_broker_does_not_allow_fails(airfield: Airfield, tmp_path: Path) -> None:
    users = {"overfly": "pass:word"}
    acl = "user overfly\ntopic write overfly/events/default/allowed\n"
    with Mosquitto(tmp_path / "broker", users=users, acl=acl) as broker:
        airfield.cross("a")
        rounds(dispatcher_to(airfield, broker.url, username="overfly", password="pass:word"))
        (refused,) = airfield.alerts()
        assert refused["status"] == "failed"
        assert refused["outcome"].endswith("Not authorized (0x87)")

        airfield.cross("a")
        rounds(dispatcher_to(airfield, broker.url, username="overfly", password="wrong"))
        assert airfield.alerts()[1]["status"] == "pending"
        assert "the broker refuses us: Not authorized" in airfield.alerts()[1]["outcome"]
        assert "wrong" not in airfield.alerts()[1]["outcome"]


def test_a_certificate_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(EndpointError):
        MqttChannel(MqttEndpoint("mqtts://localhost", client_id="x", ca_file=tmp_path / "none.pem"))


def strict_broker(connection: socket.socket, refuse_once: str, taken: list[str]) -> None:
    """Speaks just enough MQTT 5: takes one publication at a time, refuses a device's first for its quota."""
    stream = connection.makefile("rwb")
    while header := stream.read(1):
        length, shift = 0, 0
        while True:
            (byte,) = stream.read(1)
            length, shift = length | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        packet = stream.read(length)
        if header[0] >> 4 == 1:
            stream.write(b"\x20\x06\x00\x00\x03\x21\x00\x01")  # CONNACK, ReceiveMaximum 1
        elif header[0] >> 4 == 3:
            topic_length = int.from_bytes(packet[:2])
            event = json.loads(packet[topic_length + 5 :])
            refused = event["deviceId"] == refuse_once and refuse_once not in taken
            taken.append(refuse_once if refused else f"{event['deviceId']} {event['eventType']}")
            stream.write(b"\x40\x03" + packet[topic_length + 2 : topic_length + 4] + bytes([0x97 * refused]))
        stream.flush()


def test_nothing_overtakes_an_event_of_its_device_that_was_refused_for_now(airfield: Airfield) -> None:
    taken: list[str] = []
    airfield.cross_all(["a", "b"])
    airfield.cross_all(["a", "b"])
    with raw_server(lambda connection: strict_broker(connection, "a", taken)) as port:
        channel = MqttChannel(MqttEndpoint(f"mqtt://127.0.0.1:{port}", client_id="overfly-events"))
        dispatcher = airfield.dispatcher(channel)
        rounds(dispatcher)
        assert taken == ["a", "b ENTER", "b EXIT"]
        assert airfield.statuses() == ["pending", "sent", "pending", "sent"]
        assert [each["attempts"] for each in airfield.alerts()] == [1, 1, 0, 1]
        airfield.clock.now += 5000
        rounds(dispatcher)
        channel.close()

    assert taken[3:] == ["a ENTER", "a EXIT"]
    assert airfield.statuses() == ["sent"] * 4


NONSENSE = [b"", b"HTTP/1.1 400\r\n", b"\x20\xff\xff\xff\xff", b"\x20\x03\x00\x00\x05", b"\xff" * 9]


@pytest.mark.parametrize("said", NONSENSE)
def test_a_broker_that_answers_nonsense_is_temporary(airfield: Airfield, said: bytes) -> None:
    airfield.cross("a")
    with raw_server(lambda connection: connection.sendall(said)) as port:
        rounds(dispatcher_to(airfield, f"mqtt://127.0.0.1:{port}"))

    assert airfield.statuses() == ["pending"]
    assert airfield.alerts()[0]["attempts"] == 1
