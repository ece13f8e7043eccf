"""The bridge between a real Mosquitto and the stand-in's SQS, before which a proxy refuses where AWS may."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest.aws.queue_sender import QueueSender
from ingest.bridge import Bridge
from ingest.envelope import unpacked
from ingest.messages import Message
from ingest.mqtt.publisher import MqttPublisher
from ingest.mqtt.source import MqttSource
from ingest.topics import shard_of
from tests.brokers import Mosquitto
from tests.ingest.mqtt.traffic import endpoint_of
from tests.queue_proxy import Fault, QueueProxy
from tests.queues import Queue
from tests.stand_in import StandIn
from tests.waiting import wait_until

BOTH = pytest.mark.parametrize("fifo", [True, False], ids=["FIFO", "standard"])
MIB = 1 << 20


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws")) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def proxy(aws: StandIn) -> Iterator[QueueProxy]:
    with QueueProxy(aws.endpoint) as running:
        yield running


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@contextmanager
def bridge_of(
    broker: Mosquitto,
    client: Any,
    queue_url: str,
    *,
    linger: float = 0.02,
    most_bytes: int = 16 * MIB,
    **endpoint: object,
) -> Iterator[Bridge]:
    """Running and subscribed; at the end it has stopped."""
    source = MqttSource(
        endpoint_of(broker, "bridge", **endpoint), ["aircraft/+/position"], batch_bytes=MIB, batch_age=0.02
    )
    bridge = Bridge(source, QueueSender(client, queue_url), linger=linger, most_bytes=most_bytes)
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        wait_until(lambda: source.subscribed, 15, lambda: source.problem)
        yield bridge
    finally:
        bridge.stop()
        thread.join()


def publish(broker: Mosquitto, messages: Iterable[tuple[str, bytes]]) -> None:
    """(device id, payload) each."""
    with MqttPublisher(endpoint_of(broker, "devices")) as publisher:
        for device_id, payload in messages:
            publisher.publish(f"aircraft/{device_id}/position", payload)


def numbered(devices: int, rounds: int) -> list[tuple[str, bytes]]:
    """Each device's numbers from 0, the devices in turn."""
    return [(f"d{device}", b"%d" % number) for number in range(rounds) for device in range(devices)]


def sent(bridge: Bridge, count: int, seconds: float = 30) -> None:
    """Waits until the queue has accepted so many, and the bridge holds nothing."""
    counters = bridge.counters
    wait_until(
        lambda: counters.sent >= count and not counters.waiting,
        seconds,
        lambda: f"{counters}; {bridge.problem}",
    )


def taken(queue: Queue) -> list[tuple[str | None, list[Message]]]:
    """Group and messages of every queue message there is; it is empty afterwards."""
    found: list[tuple[str | None, list[Message]]] = []
    while answer := queue.client.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
    ).get("Messages", []):
        for each in answer:
            found.append((each.get("Attributes", {}).get("MessageGroupId"), unpacked(each["Body"])))
            queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=each["ReceiptHandle"])
    return found


def by_device(queue: Queue) -> dict[str, list[bytes]]:
    payloads: dict[str, list[bytes]] = defaultdict(list)
    for _, messages in taken(queue):
        for message in messages:
            payloads[str(message.topic).split("/")[1]].append(message.payload)
    return payloads


def in_order(devices: int, rounds: int) -> dict[str, list[bytes]]:
    return {f"d{device}": [b"%d" % number for number in range(rounds)] for device in range(devices)}


@BOTH
def test_messages_travel_in_envelopes_of_one_shard_each(aws: StandIn, broker: Mosquitto, fifo: bool) -> None:
    queue = Queue.make(aws, fifo=fifo)
    payloads = [b'{"latitude": 46.680}', b"no JSON", b"\xff\x00", b"{}\n{}", b""]

    with bridge_of(broker, queue.client, queue.url) as bridge:
        publish(broker, [(f"d{device}", payload) for payload in payloads for device in range(100)])
        sent(bridge, 500)

    found = taken(queue)
    for group, messages in found:
        shards = {shard_of(str(message.topic).split("/")[1]) for message in messages}
        assert len(shards) == 1
        assert group == (str(shards.pop()) if fifo else None)
    by_topic: dict[str, list[bytes]] = defaultdict(list)
    for _, messages in found:
        for message in messages:
            by_topic[str(message.topic)].append(message.payload)
    assert by_topic == {f"aircraft/d{device}/position": payloads for device in range(100)}
    assert bridge.counters.entries == len(found)


def test_messages_of_many_shards_share_a_request(aws: StandIn, broker: Mosquitto) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, queue.client, queue.url, linger=0.5) as bridge:
        publish(broker, numbered(100, 20))
        sent(bridge, 2000)

    assert bridge.counters.entries >= 8 * bridge.counters.requests
    assert bridge.counters.sent >= 8 * bridge.counters.entries


def test_order_within_a_device_survives_entries_that_are_refused(
    aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, aws.client("sqs", endpoint_url=proxy.url), queue.url) as bridge:
        with proxy.refusing("throttled", share=0.5):
            publish(broker, numbered(100, 30))
            wait_until(lambda: bridge.counters.refused > 50, 60)
            assert bridge.problem is not None
        sent(bridge, 3000)
        assert bridge.problem is None

    assert by_device(queue) == in_order(100, 30)


@BOTH
def test_answers_that_are_lost_lose_nothing_and_a_fifo_queue_knows_the_same_entries_again(
    aws: StandIn, proxy: QueueProxy, broker: Mosquitto, fifo: bool
) -> None:
    queue = Queue.make(aws, fifo=fifo)

    with bridge_of(broker, aws.client("sqs", endpoint_url=proxy.url), queue.url) as bridge:
        with proxy.refusing("lost"):
            publish(broker, numbered(100, 10))
            wait_until(lambda: bridge.counters.refused, 60)
        sent(bridge, 1000)

    found = by_device(queue)
    if fifo:
        assert found == in_order(100, 10)
    else:
        assert {device: set(payloads) for device, payloads in found.items()} == {
            device: set(payloads) for device, payloads in in_order(100, 10).items()
        }


@pytest.mark.parametrize("fault", ["failing", "denied"])
def test_a_queue_that_refuses_all_is_asked_ever_more_seldom_and_gets_everything_in_the_end(
    aws: StandIn, proxy: QueueProxy, broker: Mosquitto, fault: Fault
) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, aws.client("sqs", endpoint_url=proxy.url), queue.url) as bridge:
        with proxy.refusing(fault):
            publish(broker, numbered(100, 1))
            time.sleep(1.5)
            assert 2 <= bridge.counters.requests <= 12
            assert bridge.counters.sent == 0
            assert bridge.counters.waiting == 100
            assert bridge.problem is not None
            assert bridge.problem.startswith("SendMessageBatch: ")
        sent(bridge, 100)

    assert by_device(queue) == in_order(100, 1)


def test_a_queue_that_does_not_exist_yet_is_waited_for(aws: StandIn, broker: Mosquitto) -> None:
    first = Queue.make(aws)
    url, name = first.url.replace("positions", "later"), first.url.rpartition("/")[2]

    with bridge_of(broker, first.client, url) as bridge:
        publish(broker, numbered(10, 1))
        wait_until(lambda: bridge.problem is not None, 60)
        assert "does not exist" in str(bridge.problem)
        first.client.create_queue(
            QueueName=name.replace("positions", "later"), Attributes={"FifoQueue": "true"}
        )
        sent(bridge, 10)

    assert by_device(Queue(url, first.client)) == in_order(10, 1)


def test_a_queue_of_small_messages_gets_small_ones_in_order(aws: StandIn, broker: Mosquitto) -> None:
    queue = Queue.make(aws, MaximumMessageSize="1024")

    with bridge_of(broker, queue.client, queue.url, linger=0.3) as bridge:
        publish(broker, numbered(3, 200))
        sent(bridge, 600)
        assert bridge.counters.refused > 0
        assert bridge.problem is None

    assert by_device(queue) == in_order(3, 200)


def test_no_more_is_held_than_is_allowed_while_the_queue_refuses(
    aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    payload = b'"' + b"x" * 100_000 + b'"'

    with bridge_of(
        broker, aws.client("sqs", endpoint_url=proxy.url), queue.url, most_bytes=2 * MIB
    ) as bridge:
        with proxy.refusing("failing"):
            publish(broker, [(f"d{number % 10}", payload) for number in range(150)])
            wait_until(lambda: bridge.counters.waiting_bytes >= 2 * MIB, 60)
            time.sleep(0.5)
            assert bridge.counters.waiting_bytes < 2 * MIB + MIB + len(payload) + 1000
        sent(bridge, 150)

    assert sum(map(len, by_device(queue).values())) == 150


@pytest.mark.parametrize(("in_flight", "linger", "protocol"), [(20, 20, "3.1.1"), (20, 20, "5"), (1, 1, "5")])
def test_a_long_linger_does_not_stall_a_broker_that_waits_for_acknowledgements(
    aws: StandIn, tmp_path: Path, in_flight: int, linger: float, protocol: str
) -> None:
    queue = Queue.make(aws)
    started = time.monotonic()

    with (
        Mosquitto(tmp_path, options={"max_inflight_messages": in_flight}) as broker,
        bridge_of(
            broker, queue.client, queue.url, linger=linger, protocol=protocol, receive_maximum=in_flight
        ) as bridge,
    ):
        publish(broker, numbered(50, 3))
        wait_until(lambda: bridge.counters.received == 150, 15, lambda: bridge.counters)

    assert time.monotonic() - started < 15
    assert by_device(queue) == in_order(50, 3)


def test_messages_that_come_one_by_one_are_gathered(aws: StandIn, broker: Mosquitto) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, queue.client, queue.url, linger=0.5) as bridge:
        publish(broker, numbered(1, 1))
        sent(bridge, 1)
        time.sleep(0.1)  # what came at once after its acknowledgement would seem to have waited for that
        before = bridge.counters.requests
        with MqttPublisher(endpoint_of(broker, "devices")) as publisher:
            for number in range(1, 41):
                publisher.publish("aircraft/d0/position", b"%d" % number)
                publisher.wait_until(time.monotonic() + 0.02)
        sent(bridge, 41)

    assert bridge.counters.requests - before <= 20
    assert by_device(queue) == in_order(1, 41)


def test_messages_at_qos_0_travel_too(aws: StandIn, broker: Mosquitto) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, queue.client, queue.url) as bridge:
        endpoint = endpoint_of(broker, "devices")
        client = endpoint.client(persistent=False)
        client.reconnect()
        client.loop_start()
        for device_id, payload in numbered(20, 1):
            client.publish(f"aircraft/{device_id}/position", payload, qos=0)
        sent(bridge, 20)
        client.disconnect()
        client.loop_stop()

    assert by_device(queue) == in_order(20, 1)


def test_a_broker_that_restarts_in_the_middle_delivers_everything(aws: StandIn, broker: Mosquitto) -> None:
    queue = Queue.make(aws)

    with bridge_of(broker, queue.client, queue.url, linger=0.2) as bridge:
        publish(broker, numbered(100, 20))
        broker.restart()
        publish(broker, [(f"d{device}", b"20") for device in range(100)])
        sent(bridge, 2100)

    for device, payloads in by_device(queue).items():
        first_seen = list(dict.fromkeys(payloads))
        assert first_seen == in_order(100, 21)[device]
