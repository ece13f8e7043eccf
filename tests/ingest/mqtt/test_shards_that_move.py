"""Shards that go to another owner, or are begun anew, at a real Mosquitto."""

import signal
import threading
import time
from pathlib import Path

from ingest.messages import Message, receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.sharded_source import ShardedMqttSource
from ingest.topics import ARRAY_TOPICS, SHARDS
from tests.brokers import Mosquitto
from tests.ingest.mqtt.shards import ALL, of_shard, owning, publish, turn_by_turn
from tests.ingest.mqtt.traffic import endpoint_of, numbered, received


def test_shard_that_moves_on_the_way_loses_nothing_and_keeps_its_order(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    first, second = owning([5, 6], endpoint), ShardedMqttSource(endpoint)
    devices = threading.Thread(target=publish, args=(device, [5, 6], numbered(3000)))
    devices.start()
    here = received(first, 1000)
    there: list[Message] = []
    held = received(first, 1, acknowledge=False)
    first.own([6])
    second.own([5])
    first.acknowledge(receipts(held))
    here += [message for message in held if message.topic == ARRAY_TOPICS[6]]
    while len(of_shard(6, here)) < 3000 or len(of_shard(5, here + there)) < 3000:
        here += turn_by_turn(first)
        there += turn_by_turn(second)
    devices.join()
    first.close()
    second.close()
    assert of_shard(5, here + there) == of_shard(6, here) == numbered(3000)
    assert there[0].redelivered


def test_what_is_held_of_a_shard_that_is_given_up_is_dropped(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    source = owning([1, 2], endpoint)
    publish(device, [1, 2], numbered(5))
    source.rest(0.3)
    source.own([2])
    messages = received(source, 5)
    source.close()
    assert [(m.topic, m.payload) for m in messages] == [(ARRAY_TOPICS[2], p) for p in numbered(5)]


def test_acknowledgements_before_a_shard_is_given_up_reach_the_broker(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    first = owning(ALL, endpoint)
    publish(device, ALL, numbered(2))
    received(first, 2 * SHARDS)
    publish(device, ALL, numbered(2, first=2))  # unread in the sockets
    first.own([])
    second = ShardedMqttSource(endpoint)
    second.own(ALL)
    again = received(second, 2 * SHARDS)
    assert second.receive(0.1) == []
    first.close()
    second.close()
    assert all(of_shard(shard, again) == numbered(2, first=2) for shard in ALL)


def test_half_of_the_shards_are_given_up_in_one_short_wait(endpoint: MqttEndpoint) -> None:
    source = owning(ALL, endpoint)
    started = time.monotonic()
    source.own(ALL[:32])
    assert time.monotonic() - started < 2.0
    assert source.owned == frozenset(ALL[:32])
    assert source.subscribed
    assert source.connection == SHARDS
    source.close()


def test_broker_that_hangs_holds_up_who_gives_up_its_shards_once_for_all(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = owning(ALL, endpoint_of(mosquitto))
        assert mosquitto.process is not None
        mosquitto.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        source.own([])
        assert time.monotonic() - started < 5.0
        mosquitto.process.send_signal(signal.SIGCONT)
        source.close()


def test_start_over_has_everything_unacknowledged_sent_again(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    source = owning([3, 4], endpoint)
    publish(device, [3, 4], numbered(4))
    messages = received(source, 8, acknowledge=False)
    source.acknowledge(receipts(m for m in messages if m.payload == b"0"))
    publish(device, [3, 4], numbered(2, first=4))
    source.rest(0.3)
    source.start_over()
    assert not source.subscribed
    source.acknowledge(receipts(messages))
    again = received(source, 10)
    assert source.receive(0.1) == []
    assert source.connection == 4
    source.close()
    assert len(again) == 10
    assert of_shard(3, again) == of_shard(4, again) == numbered(5, first=1)
