"""`overfly bridge` as its users run it: a process that is killed, ended, or told nonsense."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ingest.envelope import unpacked
from ingest.mqtt.publisher import MqttPublisher
from tests.brokers import Mosquitto, free_port
from tests.hops import Hop
from tests.ingest.mqtt.traffic import endpoint_of
from tests.queue_proxy import QueueProxy
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until

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
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def bridge(
    folder: Path, broker: Mosquitto, queue: Queue, aws: StandIn, proxy: QueueProxy, **settings: str
) -> Hop:
    return Hop(
        "bridge",
        folder / "bridge",
        {"SOURCE_MQTT_URL": broker.url, "QUEUE_URL": queue.url, **settings},
        {**aws.environment(DESTINATION), "AWS_ENDPOINT_URL_SQS": proxy.url},
    )


def subscribed(hop: Hop) -> Hop:
    wait_until(lambda: hop.metric("overfly_bridge_connected") == 1, 15, lambda: hop.log)
    return hop


def publish(broker: Mosquitto, count: int, first: int = 0, payload: bytes = b"%d") -> None:
    with MqttPublisher(endpoint_of(broker, "devices")) as publisher:
        for number in range(first, first + count):
            filled = payload % number if b"%" in payload else payload
            publisher.publish(f"aircraft/d{number % 100}/position", filled)


def numbers(queue: Queue) -> list[int]:
    found: list[int] = []
    while answer := queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages"):
        for each in answer:
            found += [int(message.payload) for message in unpacked(each["Body"])]
            queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=each["ReceiptHandle"])
    return found


def test_killed_in_the_middle_again_and_again_it_loses_nothing(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    hop = bridge(tmp_path, broker, queue, aws, proxy)
    subscribed(hop.start())

    for start in range(0, 9000, 3000):
        with proxy.refusing("throttled", share=0.3):
            publish(broker, 3000, start)
            wait_until(lambda: hop.metric("overfly_bridge_sent_total") > 500, 60)
            hop.kill()
        hop.start()
    publish(broker, 100, 9000)
    wait_until(
        lambda: (
            subscribed(hop).metric("overfly_bridge_received_total") >= 100
            and hop.metric("overfly_bridge_waiting") == 0
        ),
        20,
    )
    time.sleep(0.3)
    wait_until(lambda: hop.metric("overfly_bridge_waiting") == 0, 20)
    hop.kill()

    assert sorted(set(numbers(queue))) == list(range(9100))


def test_told_to_end_it_sends_what_it_has_gathered_and_ends_well(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    with bridge(tmp_path, broker, queue, aws, proxy, BRIDGE_LINGER="60") as hop:
        publish(subscribed(hop) and broker, 10)
        wait_until(lambda: hop.metric("overfly_bridge_waiting") == 10, 60)
        assert hop.metric("overfly_bridge_requests_total") == 0

        assert hop.stop() == 0

    assert sorted(numbers(queue)) == list(range(10))
    assert '"held": 0, "event": "bridge.stopped"' in hop.log


def test_told_to_end_while_the_queue_refuses_it_ends_in_time_and_the_next_one_delivers(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    with bridge(tmp_path, broker, queue, aws, proxy) as hop:
        with proxy.refusing("denied"):
            publish(subscribed(hop) and broker, 10)
            wait_until(lambda: hop.metric("overfly_bridge_refused_total") > 0, 60)
            started = time.monotonic()
            assert hop.stop() == 0
            assert time.monotonic() - started < 10
        assert "SendMessageBatch: AccessDenied: Access to the resource is denied." in hop.log
        [draining] = [line for line in hop.log.splitlines() if '"bridge.draining"' in line]
        assert "6 s are over; the broker keeps what it has not" in draining
        assert '"held": 10' in draining
        assert "delivers it to the next `overfly bridge`" in hop.log
        hop.start()
        wait_until(lambda: hop.metric("overfly_bridge_sent_total") == 10, 60)

    assert sorted(numbers(queue)) == list(range(10))


def test_a_queue_that_is_not_there_is_told_before_a_message_flows_and_again_when_it_is(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    queue.client.delete_queue(QueueUrl=queue.url)
    with bridge(tmp_path, broker, queue, aws, proxy) as hop:
        wait_until(lambda: '"event": "bridge.queue_away"' in hop.log, 15, lambda: hop.log)
        assert "NonExistentQueue" in hop.log
        queue.client.create_queue(QueueName=queue.url.rpartition("/")[2], Attributes={"FifoQueue": "true"})
        wait_until(lambda: '"event": "bridge.queue_there"' in hop.log, 20, lambda: hop.log)
        assert hop.log.count("bridge.queue_away") == 1
        subscribed(hop)
        wait_until(lambda: '"event": "bridge.subscribed"' in hop.log, 60)

    [line] = [line for line in hop.log.splitlines() if '"bridge.subscribed"' in line]
    assert f'"broker": "{broker.url}"' in line
    assert '"topics": ["aircraft/+/position"]' in line


def test_a_sender_that_may_not_ask_about_its_queue_hears_nothing_of_it(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    asked = proxy.requests["GetQueueAttributes"]
    with (
        proxy.refusing("denied", operations=frozenset({"GetQueueAttributes"})),
        bridge(tmp_path, broker, queue, aws, proxy) as hop,
    ):
        wait_until(lambda: proxy.requests["GetQueueAttributes"] > asked, 60)
        subscribed(hop)
        time.sleep(1.5)

        assert proxy.requests["GetQueueAttributes"] == asked + 1
        assert "bridge.queue_" not in hop.log
        assert "bridge.refused" not in hop.log


def test_a_role_that_cannot_be_assumed_is_told_in_a_sentence_before_a_message_flows(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    role = "arn:aws:iam::222222222222:role/bridge"
    hop = bridge(tmp_path, broker, queue, aws, proxy, QUEUE_ROLE_ARN=role)
    hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{free_port()}"}
    with hop:
        wait_until(lambda: '"event": "bridge.queue_away"' in hop.log, 20, lambda: hop.log)

        assert "Could not connect to the endpoint URL" in hop.log
        assert "Traceback" not in hop.log


def test_a_huge_backlog_behind_a_queue_that_refuses_takes_no_more_memory(
    tmp_path: Path, aws: StandIn, proxy: QueueProxy, broker: Mosquitto
) -> None:
    queue = Queue.make(aws)
    payload = b'"' + b"x" * 100_000 + b'"'
    with bridge(tmp_path, broker, queue, aws, proxy, BRIDGE_BYTES=str(2 * MIB)) as hop:
        before = subscribed(hop).memory
        with proxy.refusing("failing"):
            publish(broker, 400, payload=payload)
            wait_until(lambda: hop.metric("overfly_bridge_waiting_bytes") >= 2 * MIB, 60)
            time.sleep(1)
            assert hop.memory - before < 40 * MIB
            assert hop.metric("overfly_bridge_oldest_seconds") >= 1
        wait_until(lambda: hop.metric("overfly_bridge_sent_total") >= 400, 40, lambda: hop.log)
        assert hop.memory - before < 60 * MIB
        assert hop.metric("overfly_bridge_waiting") == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs a broker to subscribe at: set OVERFLY_SOURCE_MQTT_URL"),
        ({"OVERFLY_SOURCE_MQTT_URL": "mqtt://h"}, "needs a queue to fill: set OVERFLY_QUEUE_URL"),
        ({"OVERFLY_SOURCE_MQTT_URL": "http://h"}, "OVERFLY_SOURCE_MQTT_*: an MQTT URL is mqtt://host:1883"),
        (
            {"OVERFLY_SOURCE_MQTT_URL": "mqtt://h", "OVERFLY_QUEUE_URL": "positions"},
            "OVERFLY_QUEUE_URL is no queue's URL",
        ),
        (
            {
                "OVERFLY_SOURCE_MQTT_URL": "mqtts://h",
                "OVERFLY_SOURCE_MQTT_CA_FILE": "/nowhere.pem",
                "OVERFLY_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/222222222222/positions",
            },
            "OVERFLY_SOURCE_MQTT_*: the certificate authority /nowhere.pem cannot be read",
        ),
    ],
    ids=range(5),
)
def test_settings_that_cannot_be_are_said_at_once(
    tmp_path: Path, settings: Mapping[str, str], said: str
) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
    ended = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "bridge"],
        env={**clean, **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
