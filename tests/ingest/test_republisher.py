"""The republisher in a thread of this process, from a queue at the stand-in to a real broker."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ingest.republisher
from ingest.aws.clients import queue_client
from ingest.mqtt.connection import MqttEndpoint
from ingest.republisher import Republisher
from ingest.republishing.dead_letters import DeadLetterQueue
from ingest.republishing.mqtt_destination import MqttDestination
from ingest.republishing.work_queue import WorkQueue
from tests.brokers import Mosquitto
from tests.queue_proxy import QueueProxy
from tests.republished import PATIENCE, Listener, Queues, send
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@contextmanager
def running_here(
    aws: StandIn, queues: Queues, broker: Mosquitto, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Republisher]:
    """In a thread of this process, reaching the queue at `endpoint`."""
    for name, value in aws.environment(DESTINATION).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
    client = queue_client(queues.work.url)
    running = Republisher(
        WorkQueue(client, queues.work.url),
        MqttDestination(MqttEndpoint(broker.url, client_id="republish")),
        lambda _: DeadLetterQueue(client, queues.dead.url),
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join(PATIENCE)


def test_nothing_is_received_before_the_broker_is_there(
    aws: StandIn, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = Queues.make(aws, fifo=False)
    send(queues.work, "a", 1, 1)
    broker.stop()
    with (
        QueueProxy(aws.endpoint) as proxy,
        running_here(aws, queues, broker, proxy.url, monkeypatch) as running,
    ):
        wait_until(lambda: running.depth == 1, PATIENCE)
        time.sleep(1.0)
        assert proxy.requests["ReceiveMessage"] == 0
        broker.start()
        wait_until(lambda: proxy.requests["ReceiveMessage"] > 0, PATIENCE)


def test_messages_that_are_no_longer_ours_are_not_published_any_more(
    aws: StandIn, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = Queues.make(aws, fifo=False, visibility=3)
    send(queues.work, "a", 1, 1)
    with running_here(aws, queues, broker, aws.endpoint, monkeypatch) as running:
        wait_until(lambda: running.held == 1, PATIENCE)  # nobody subscribes
        queues.work.client.purge_queue(QueueUrl=queues.work.url)
        wait_until(lambda: running.held == 0, PATIENCE)
        listening = Listener(broker)
        send(queues.work, "b", 1, 1)
        listening.until(lambda: "b" in listening.numbers())
        listening.close()

    assert listening.numbers() == {"b": [0]}


def test_a_queue_depth_that_can_no_longer_be_asked_is_unknown(
    aws: StandIn, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.republisher, "LOOK_SECONDS", 0.1)
    queues = Queues.make(aws, fifo=False)
    with (
        QueueProxy(aws.endpoint) as proxy,
        running_here(aws, queues, broker, proxy.url, monkeypatch) as running,
    ):
        wait_until(lambda: running.depth == 0, PATIENCE)

        with proxy.refusing("denied", operations=frozenset({"GetQueueAttributes"})):
            wait_until(lambda: running.depth is None, PATIENCE)

        wait_until(lambda: running.depth == 0, PATIENCE)
