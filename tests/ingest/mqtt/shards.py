"""What the tests of a session for each shard publish and receive with."""

from collections.abc import Iterable

from ingest.messages import Message, receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import MqttPublisher
from ingest.mqtt.sharded_source import ShardedMqttSource
from ingest.topics import ARRAY_TOPICS, SHARDS
from tests.ingest.mqtt.traffic import payloads, subscribed

ALL = range(SHARDS)


def owning(shards: Iterable[int], endpoint: MqttEndpoint, **limits: float) -> ShardedMqttSource:
    source = ShardedMqttSource(endpoint, **limits)  # type: ignore[arg-type]  # as the tests say
    source.own(list(shards))
    return subscribed(source)


def publish(device: MqttEndpoint, shards: Iterable[int], sent: Iterable[bytes]) -> None:
    """Each payload to each of the shards."""
    topics = [ARRAY_TOPICS[shard] for shard in shards]
    with MqttPublisher(device) as publisher:
        for payload in sent:
            for topic in topics:
                publisher.publish(topic, payload)


def turn_by_turn(source: ShardedMqttSource) -> list[Message]:
    """A batch, or nothing."""
    batch = source.receive(0.02)
    source.acknowledge(receipts(batch))
    return batch


def of_shard(shard: int, messages: Iterable[Message]) -> list[bytes]:
    """Payloads in the order in which each came first."""
    return list(dict.fromkeys(payloads(m for m in messages if m.topic == ARRAY_TOPICS[shard])))
