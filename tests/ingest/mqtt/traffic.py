"""What the MQTT tests publish and receive with."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from ingest.messages import Message, receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import MqttPublisher
from ingest.source import Source
from tests.brokers import Mosquitto

TOPICS = ("aircraft/+/position", "overfly/positions/+")
PATIENCE = 60.0

AnySource = TypeVar("AnySource", bound=Source)


def endpoint_of(broker: Mosquitto, client_id: str = "tracker", **settings: object) -> MqttEndpoint:
    if broker.certificates:
        settings.setdefault("ca_file", broker.certificates.ca)
    return MqttEndpoint(broker.url, client_id=client_id, **settings)  # type: ignore[arg-type]  # as the tests say


def publish(endpoint: MqttEndpoint, payloads: Iterable[bytes], topic: str = "aircraft/a/position") -> None:
    with MqttPublisher(endpoint) as publisher:
        for payload in payloads:
            publisher.publish(topic, payload)


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


def until(source: Source, reached: Callable[[], bool]) -> None:
    """Lets a source work without messages until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"not reached; the source says: {source.problem}"
        assert source.receive(0.02) == []


def subscribed(source: AnySource) -> AnySource:
    until(source, lambda: source.subscribed)
    return source


def received(source: Source, count: int, acknowledge: bool = True) -> list[Message]:
    """At least `count` messages."""
    messages: list[Message] = []
    deadline = time.monotonic() + PATIENCE
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count}; the source says: {source.problem}"
        batch = source.receive(0.1)
        messages += batch
        if acknowledge:
            source.acknowledge(receipts(batch))
    return messages


def payloads(messages: Iterable[Message]) -> list[bytes]:
    return [message.payload for message in messages]
