"""Batches from a real Mosquitto."""

import threading
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from ingest.messages import receipts
from ingest.mqtt.connection import MqttEndpoint, Protocol
from ingest.mqtt.publisher import MqttPublisher
from ingest.mqtt.source import MqttSource
from tests.brokers import Mosquitto
from tests.ingest.mqtt.traffic import (
    TOPICS,
    endpoint_of,
    numbered,
    payloads,
    publish,
    received,
    subscribed,
)

BOTH: tuple[Protocol, ...] = ("5", "3.1.1")


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return f"aircraft/{abs(hash(request.node.name))}/position"


@pytest.mark.parametrize("protocol", BOTH)
def test_what_was_not_acknowledged_comes_again_in_order_and_marked(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str, protocol: Protocol
) -> None:
    endpoint = replace(endpoint, protocol=protocol)
    first = subscribed(MqttSource(endpoint, [topic]))
    publish(device, numbered(30), topic)
    messages = received(first, 12, acknowledge=False)
    first.acknowledge(receipts(messages[:10]))
    first.close()
    second = MqttSource(endpoint, [topic])
    again = received(second, 20)
    second.close()
    assert payloads(again) == numbered(20, first=10)
    assert again[0].redelivered
    assert again[0].topic == topic
    assert second.session_present
    third = subscribed(MqttSource(endpoint, [topic]))
    assert third.receive(0.1) == []
    third.close()


def test_acknowledgements_of_an_earlier_connection_are_passed_over(
    broker: Mosquitto, endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic]))
    publish(device, numbered(3), topic)
    before = received(source, 3, acknowledge=False)
    usurper = MqttSource(endpoint, [topic])
    received(usurper, 3, acknowledge=False)
    usurper.close()
    again = received(source, 3, acknowledge=False)
    source.acknowledge(receipts(before))
    source.close()
    third = MqttSource(endpoint, [topic])
    assert payloads(received(third, 3)) == payloads(again) == numbered(3)
    third.close()


def test_acknowledging_twice_acknowledges_nothing_else(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic]))
    publish(device, numbered(1), topic)
    messages = received(source, 1)
    publish(device, numbered(1, first=1), topic)
    received(source, 1, acknowledge=False)
    source.acknowledge(receipts(messages))
    source.close()
    again = MqttSource(endpoint, [topic])
    assert payloads(received(again, 1)) == [b"1"]
    again.close()


def test_batch_closes_by_size_and_the_rest_follows(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic], batch_size=4, silence=0.1))
    publish(device, numbered(10), topic)
    batches = [source.receive(1.0) for _ in range(3)]
    source.close()
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert payloads(chain(*batches)) == numbered(10)


def test_batch_closes_by_bytes(endpoint: MqttEndpoint, device: MqttEndpoint, topic: str) -> None:
    source = subscribed(MqttSource(endpoint, [topic], batch_bytes=1000, silence=0.1))
    publish(device, [bytes(400)] * 5, topic)
    batches = [len(source.receive(1.0)) for _ in range(2)]
    source.close()
    assert batches == [3, 2]


def test_batch_closes_by_silence_long_before_its_age(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic], batch_age=30.0))
    publish(device, numbered(5), topic)
    started = time.monotonic()
    assert payloads(source.receive(5.0)) == numbered(5)
    assert time.monotonic() - started < 5.0
    source.close()


def test_batch_closes_by_age_when_messages_never_cease(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic], batch_age=0.2, silence=10.0))
    stop = threading.Event()

    def trickle() -> None:
        with MqttPublisher(device) as publisher:
            while not stop.is_set():
                publisher.publish(topic, b"")
                publisher.wait_until(time.monotonic() + 0.02)

    devices = threading.Thread(target=trickle)
    devices.start()
    try:
        started = time.monotonic()
        batch = source.receive(5.0)
        assert 0.15 < time.monotonic() - started < 5.0
        assert batch
    finally:
        stop.set()
        devices.join()
        source.close()


def test_receive_without_messages_ends_in_time_and_at_a_wake(endpoint: MqttEndpoint, topic: str) -> None:
    source = subscribed(MqttSource(endpoint, [topic]))
    assert source.receive(0.0) == []
    started = time.monotonic()
    assert source.receive(0.1) == []
    assert 0.08 < time.monotonic() - started < 2.0
    waker = threading.Timer(0.1, source.wake)
    waker.start()
    assert source.receive(20.0) == []
    source.wake()
    source.rest(20.0)
    assert time.monotonic() - started < 10.0
    source.close()


def test_broker_that_restarts_on_the_way_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, options={"max_inflight_messages": 50}) as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto), TOPICS))
        devices = threading.Thread(
            target=publish, args=(endpoint_of(mosquitto, client_id="device"), numbered(6000))
        )
        devices.start()
        messages = received(source, 1000)
        mosquitto.restart()
        while len(set(payloads(messages))) < 6000:
            messages += received(source, 1)
        devices.join()
        source.close()
    assert source.connection == 2
    assert list(dict.fromkeys(payloads(messages))) == numbered(6000)


def test_mqtt_3_1_1_with_twenty_in_flight_does_not_wait_for_silence(tmp_path: Path) -> None:
    """Forty batches of twenty would take ten seconds with this silence. The learned limit closes them at
    once.
    """
    with Mosquitto(tmp_path, options={"max_inflight_messages": 20}) as mosquitto:
        source = subscribed(
            MqttSource(endpoint_of(mosquitto, protocol="3.1.1"), TOPICS, silence=0.25, batch_age=0.25)
        )
        devices = threading.Thread(
            target=publish, args=(endpoint_of(mosquitto, client_id="", protocol="3.1.1"), numbered(800))
        )
        started = time.monotonic()
        devices.start()
        messages = received(source, 800)
        took = time.monotonic() - started
        devices.join()
        source.close()
    assert payloads(messages) == numbered(800)
    assert took < 5.0


def test_session_stays_alive_while_the_caller_rests_with_messages_waiting(tmp_path: Path) -> None:
    """Keep-alive is 2 s: the broker hangs up after 3 s without a packet. PINGRESP is stuck behind the
    messages.
    """
    with Mosquitto(tmp_path) as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto, keepalive=2), TOPICS, batch_size=10))
        publish(endpoint_of(mosquitto, client_id="device"), numbered(40))
        held = received(source, 10, acknowledge=False)
        source.rest(7.0)
        assert (source.connected, source.connection) == (True, 1)
        source.acknowledge(receipts(held))
        messages = held + received(source, 30)
        source.close()
        assert "exceeded timeout" not in mosquitto.log
    assert payloads(messages) == numbered(40)


def test_rest_holds_one_batch_at_most(endpoint: MqttEndpoint, device: MqttEndpoint, topic: str) -> None:
    source = subscribed(MqttSource(endpoint, [topic], batch_bytes=3 << 20, silence=0.1))
    publish(device, [bytes(1 << 20)] * 8, topic)
    source.rest(0.5)
    batch = source.receive(0.0)
    source.close()
    assert len(batch) == 3


def test_payload_of_ten_megabytes_arrives_among_others(
    endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic]))
    publish(device, [b"before", bytes(10_000_000), b"after"], topic)
    messages = received(source, 3)
    source.close()
    assert [len(message.payload) for message in messages] == [6, 10_000_000, 5]


def test_messages_at_qos_0_are_taken_as_they_come(
    broker: Mosquitto, endpoint: MqttEndpoint, topic: str
) -> None:
    source = subscribed(MqttSource(endpoint, [topic]))
    client = endpoint_of(broker, client_id="").client(persistent=False)
    client.reconnect()
    client.loop(0.2)
    client.publish(topic, b"once", qos=0)
    messages = received(source, 1)
    client.disconnect()
    source.close()
    assert [(message.payload, message.receipt) for message in messages] == [(b"once", None)]


class TestDrained:
    """The broker had nothing more for us."""

    def test_after_a_silence_with_nothing_to_deliver(self, endpoint: MqttEndpoint, topic: str) -> None:
        source = MqttSource(endpoint, [topic])
        assert not source.drained
        subscribed(source)
        source.receive(0.1)
        assert source.drained
        source.close()
        assert not source.drained

    def test_not_while_a_batch_is_full(
        self, endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
    ) -> None:
        source = subscribed(MqttSource(endpoint, [topic], batch_size=5, silence=0.1))
        publish(device, numbered(7), topic)
        assert len(source.receive(1.0)) == 5
        assert not source.drained
        assert len(source.receive(1.0)) == 2
        source.close()

    def test_not_when_the_broker_stops_at_its_limit_with_more_waiting(self, tmp_path: Path) -> None:
        with Mosquitto(tmp_path, options={"max_inflight_messages": 10}) as mosquitto:
            tracker = endpoint_of(mosquitto, receive_maximum=10)
            subscribed(MqttSource(tracker, TOPICS)).close()
            publish(endpoint_of(mosquitto, client_id="device"), numbered(15))
            source = MqttSource(tracker, TOPICS)
            first = source.receive(2.0)
            assert len(first) == 10
            assert not source.drained
            source.acknowledge(receipts(first))
            rest = received(source, 5)
            source.receive(0.1)
            assert source.drained
            source.close()
        assert payloads(first + rest) == numbered(15)

    def test_still_after_a_batch_that_came_out_of_silence(
        self, endpoint: MqttEndpoint, device: MqttEndpoint, topic: str
    ) -> None:
        source = subscribed(MqttSource(endpoint, [topic]))
        source.receive(0.1)
        devices = threading.Timer(0.2, publish, args=(device, numbered(1), topic))
        devices.start()
        assert len(source.receive(5.0)) == 1
        assert source.drained
        devices.join()
        source.close()

    def test_no_longer_after_a_rest(self, endpoint: MqttEndpoint, topic: str) -> None:
        source = subscribed(MqttSource(endpoint, [topic]))
        source.receive(0.1)
        source.rest(0.01)
        assert not source.drained
        source.close()
