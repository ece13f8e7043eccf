"""A session for each shard, at a real Mosquitto."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.messages import receipts
from ingest.mqtt.connection import EndpointError, MqttEndpoint
from ingest.mqtt.sharded_source import ShardedMqttSource
from ingest.mqtt.source import MqttSource
from ingest.topics import ARRAY_TOPICS, SHARDS
from tests.brokers import Certificates, Mosquitto
from tests.ingest.mqtt.shards import ALL, of_shard, owning, publish
from tests.ingest.mqtt.traffic import endpoint_of, numbered, received, subscribed, until


def test_messages_of_the_owned_shards_come_in_order_within_each(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    source = owning(ALL[::2], endpoint)
    publish(device, ALL, numbered(20))
    messages = received(source, 20 * 32)
    assert source.receive(0.1) == []
    assert source.drained
    assert source.unacknowledged == 0
    source.close()
    assert {m.topic for m in messages} == {ARRAY_TOPICS[shard] for shard in ALL[::2]}
    assert all(of_shard(shard, messages) == numbered(20) for shard in ALL[::2])
    assert len(set(receipts(messages))) == len(messages)


def test_owner_of_nothing_waits_for_its_time_or_a_wake(endpoint: MqttEndpoint) -> None:
    source = ShardedMqttSource(endpoint)
    assert (source.subscribed, source.problem, source.connection) == (True, None, 0)
    started = time.monotonic()
    assert source.receive(0.1) == []
    assert 0.08 < time.monotonic() - started < 2.0
    threading.Timer(0.1, source.wake).start()
    assert source.receive(20.0) == []
    source.wake()
    source.rest(20.0)
    assert time.monotonic() - started < 10.0
    source.close()


def test_wake_ends_a_wait_for_many_sessions(endpoint: MqttEndpoint) -> None:
    source = owning(ALL, endpoint)
    started = time.monotonic()
    threading.Timer(0.1, source.wake).start()
    assert source.receive(20.0) == []
    threading.Timer(0.1, source.wake).start()
    source.rest(20.0)
    assert time.monotonic() - started < 10.0
    source.close()


def test_broker_that_restarts_on_the_way_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = owning(ALL, endpoint_of(mosquitto))
        devices = threading.Thread(
            target=publish, args=(endpoint_of(mosquitto, client_id="device"), ALL, numbered(100))
        )
        devices.start()
        messages = received(source, 1000)
        mosquitto.restart()
        while len({(m.topic, m.payload) for m in messages}) < 100 * SHARDS:
            messages += received(source, 1)
        devices.join()
        source.close()
    assert source.connection >= 2 * SHARDS
    assert all(of_shard(shard, messages) == numbered(100) for shard in ALL)


def test_broker_that_is_killed_is_a_problem_of_all_until_it_is_back(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = owning(ALL, endpoint_of(mosquitto))
        mosquitto.kill()
        until(source, lambda: "does not answer" in (source.problem or ""))
        assert not (source.subscribed or source.drained)
        assert "shard" not in (source.problem or "")
        mosquitto.start()
        subscribed(source)
        assert source.problem is None
        assert source.connection == 2 * SHARDS
        publish(endpoint_of(mosquitto, client_id="device"), ALL, numbered(1))
        assert len(received(source, SHARDS)) == SHARDS
        source.close()


def test_session_that_another_client_takes_is_named_and_the_others_go_on(
    endpoint: MqttEndpoint, device: MqttEndpoint
) -> None:
    source = owning([3, 4, 5], endpoint)
    its_client = replace(endpoint, client_id=f"{endpoint.client_id}-4")
    usurper = subscribed(MqttSource(its_client, [ARRAY_TOPICS[4]]))
    until(source, lambda: source.problem is not None)
    assert (source.problem or "").startswith("shard 4: the connection to the broker")
    assert not source.subscribed
    usurper.close()
    publish(device, [3, 4, 5], numbered(3))
    messages = received(source, 9)
    assert source.problem is None
    assert source.connection >= 4
    source.close()
    assert all(of_shard(shard, messages) == numbered(3) for shard in (3, 4, 5))


def test_sessions_stay_alive_while_the_caller_rests_with_messages_waiting(tmp_path: Path) -> None:
    """Keep-alive is 1 s: the broker hangs up after 1.5 s without a packet."""
    with Mosquitto(tmp_path) as mosquitto:
        source = owning(range(8), endpoint_of(mosquitto, keepalive=1), batch_size=10)
        publish(endpoint_of(mosquitto, client_id="device"), range(8), numbered(5))
        held = received(source, 10, acknowledge=False)
        source.rest(4.0)
        assert (source.subscribed, source.connection) == (True, 8)
        source.acknowledge(receipts(held))
        messages = held + received(source, 30)
        source.close()
        assert "exceeded timeout" not in mosquitto.log
    assert all(of_shard(shard, messages) == numbered(5) for shard in range(8))


def test_rest_holds_one_batch_at_most_in_all(endpoint: MqttEndpoint, device: MqttEndpoint) -> None:
    source = owning(range(8), endpoint, batch_bytes=3 << 20, silence=0.1)
    publish(device, range(8), [bytes(1 << 20)] * 2)
    source.rest(0.5)
    batches = [source.receive(0.0)]
    while sum(map(len, batches)) < 16:
        batches.append(source.receive(1.0))
    source.close()
    assert [len(batch) for batch in batches] == [3, 3, 3, 3, 3, 1]


def test_batch_is_shared_and_no_session_waits_for_ever(endpoint: MqttEndpoint, device: MqttEndpoint) -> None:
    source = owning(range(4), endpoint, batch_size=10, silence=0.1)
    publish(device, range(4), numbered(20))
    source.rest(0.2)
    batches = [source.receive(1.0) for _ in range(8)]
    source.close()
    assert [len(batch) for batch in batches] == [10] * 8
    assert {m.topic for batch in batches for m in batch} == set(ARRAY_TOPICS[:4])


def test_sessions_over_tls_lose_nothing_that_was_decrypted_before_it_was_read(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "certificates")
    with Mosquitto(tmp_path / "broker", certificates=certificates) as mosquitto:
        source = owning(range(8), endpoint_of(mosquitto), batch_size=7)
        publish(endpoint_of(mosquitto, client_id="device"), range(8), numbered(100))
        messages = received(source, 800)
        source.close()
    assert all(of_shard(shard, messages) == numbered(100) for shard in range(8))


class TestDrained:
    """Every session's broker had nothing more."""

    def test_not_when_one_session_has_stopped_with_more_waiting(self, tmp_path: Path) -> None:
        with Mosquitto(tmp_path, options={"max_inflight_messages": 10}) as mosquitto:
            tracker = endpoint_of(mosquitto, receive_maximum=10)
            owning([1, 2], tracker).close()
            device = endpoint_of(mosquitto, client_id="device")
            publish(device, [1], numbered(15))
            publish(device, [2], numbered(2))
            source = ShardedMqttSource(tracker)
            source.own([1, 2])
            first = received(source, 12, acknowledge=False)
            assert not source.drained
            source.acknowledge(receipts(first))
            messages = first + received(source, 5)
            source.receive(0.1)
            assert source.drained
            source.close()
        assert of_shard(1, messages) == numbered(15)

    def test_still_after_a_batch_that_came_out_of_silence(
        self, endpoint: MqttEndpoint, device: MqttEndpoint
    ) -> None:
        source = owning([1, 2], endpoint)
        source.receive(0.1)
        assert source.drained
        devices = threading.Timer(0.2, publish, args=(device, [1], numbered(1)))
        devices.start()
        assert len(source.receive(5.0)) == 1
        assert source.drained
        devices.join()
        source.close()

    def test_not_while_a_shard_that_was_added_is_unheard(self, endpoint: MqttEndpoint) -> None:
        source = owning([1], endpoint)
        source.receive(0.1)
        source.own([1, 2])
        assert not source.drained
        source.own([1])
        assert source.drained
        source.rest(0.01)
        assert not source.drained
        source.close()


def test_facts_name_consecutive_shards_together(endpoint: MqttEndpoint) -> None:
    source = ShardedMqttSource(endpoint)
    source.own([9, 0, 1, 2])
    assert source.facts == {
        "broker": endpoint.url,
        "topics": ["overfly/positions/0-2", "overfly/positions/9"],
        "sessions": 4,
    }
    source.close()


def test_what_is_no_shard_or_has_no_client_id_is_refused(endpoint: MqttEndpoint) -> None:
    source = ShardedMqttSource(endpoint)
    with pytest.raises(ValueError, match=r"shard 64: expected 0\.\.63"):
        source.own([3, 64])
    assert source.owned == frozenset()
    source.close()
    with pytest.raises(EndpointError, match="fixed client id"):
        ShardedMqttSource(MqttEndpoint(endpoint.url))
