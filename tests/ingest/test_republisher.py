"""`overfly republish` as its users run it: from a queue at the stand-in to a real broker."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ingest.republisher
from ingest.aws.clients import queue_client
from ingest.envelope import packed
from ingest.messages import receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.source import MqttSource
from ingest.republisher import Republisher
from ingest.republishing.dead_letters import DeadLetterQueue
from ingest.republishing.mqtt_destination import MqttDestination
from ingest.republishing.work_queue import WorkQueue
from ingest.topics import shard_of
from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.queue_proxy import Fault, QueueProxy
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until

PATIENCE = 20.0
TOPICS = ("aircraft/+/position", "overfly/positions/+")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@dataclass(frozen=True, slots=True)
class Queues:
    """A queue and its dead-letter queue."""

    work: Queue
    dead: Queue

    @classmethod
    def make(cls, aws: StandIn, *, fifo: bool, visibility: int = 20) -> "Queues":
        dead = Queue.make(aws, fifo=fifo)
        policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "3"})
        return cls(Queue.make(aws, fifo=fifo, visibility=visibility, RedrivePolicy=policy), dead)

    def letters(self) -> list[dict[str, Any]]:
        """What the dead-letter queue has, taken out of it."""
        found: list[dict[str, Any]] = []
        while messages := self.dead.client.receive_message(
            QueueUrl=self.dead.url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", []):
            for message in messages:
                self.dead.client.delete_message(
                    QueueUrl=self.dead.url, ReceiptHandle=message["ReceiptHandle"]
                )
            found += messages
        return found


@pytest.fixture(params=[True, False], ids=["fifo", "standard"])
def queues(request: pytest.FixtureRequest, aws: StandIn) -> Queues:
    return Queues.make(aws, fifo=request.param)


class Listener:
    """A subscriber with a session that stays, and all that it has got."""

    def __init__(self, broker: Mosquitto, topics: Sequence[str] = TOPICS) -> None:
        self._source = MqttSource(MqttEndpoint(broker.url, client_id=uuid.uuid4().hex), topics)
        self.got: list[tuple[str, bytes]] = []
        wait_until(self._subscribed, PATIENCE)

    def until(self, true: Callable[[], bool]) -> None:
        def listened() -> bool:
            batch = self._source.receive(0.05)
            self._source.acknowledge(receipts(batch))
            self.got += [(str(message.topic), message.payload) for message in batch]
            return true()

        wait_until(listened, PATIENCE, lambda: f"got {len(self.got)} messages: {self.got[-3:]}")

    def numbers(self) -> dict[str, list[int]]:
        """`n` of the positions in arrays, by device, in order."""
        numbers: dict[str, list[int]] = {}
        for topic, payload in self.got:
            if topic.startswith("overfly/positions/"):
                for item in json.loads(payload):
                    assert topic == f"overfly/positions/{shard_of(item['deviceId'])}"
                    numbers.setdefault(item["deviceId"], []).append(item["n"])
        return numbers

    def close(self) -> None:
        self._source.close()

    def _subscribed(self) -> bool:
        self._source.receive(0.02)
        return self._source.subscribed


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    listening = Listener(broker)
    yield listening
    listening.close()


def republisher(folder: Path, aws: StandIn, queues: Queues, broker: Mosquitto, **settings: str) -> Hop:
    named = {"QUEUE_URL": queues.work.url, "MQTT_URL": broker.url, **settings}
    return Hop("republish", folder / "republish", named, aws.environment(DESTINATION))


def lines(device: str, numbers: Sequence[int], size: int = 0) -> str:
    payloads = (json.dumps({"deviceId": device, "n": number, "x": "y" * size}).encode() for number in numbers)
    return b"\n".join(packed(f"aircraft/{device}/position", payload) for payload in payloads).decode()


def send(queue: Queue, device: str, bodies: int, each: int, size: int = 0) -> list[int]:
    """Numbered positions of a device, in its shard's group; answers the numbers."""
    queue.send(
        (lines(device, range(first * each, (first + 1) * each), size) for first in range(bodies)),
        str(shard_of(device)),
    )
    return list(range(bodies * each))


def in_order_without_repeats(numbers: list[int]) -> list[int]:
    """First appearances: a redelivery may repeat, and must not come before what it follows."""
    return list(dict.fromkeys(numbers))


def test_positions_come_out_as_arrays_of_their_shard_in_order_and_the_queue_is_empty(
    tmp_path: Path, aws: StandIn, queues: Queues, broker: Mosquitto, listener: Listener
) -> None:
    expected = {device: send(queues.work, device, 12, 100) for device in ("a", "b", "c")}

    with republisher(tmp_path, aws, queues, broker) as hop:
        listener.until(lambda: sum(map(len, listener.numbers().values())) >= 3600)
        wait_until(lambda: hop.metric("overfly_republish_deleted_total") == 36, PATIENCE)
        assert hop.metric("overfly_republish_positions_total") == 3600
        assert hop.stop() == 0

    found = listener.numbers()
    if queues.work.url.endswith(".fifo"):
        assert found == expected
    else:
        assert {device: sorted(numbers) for device, numbers in found.items()} == expected
    assert queues.work.empty
    assert queues.dead.empty


def test_killed_in_the_middle_it_loses_nothing_and_keeps_the_order(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=4)
    expected = {device: send(queues.work, device, 15, 40, 2000) for device in ("a", "b")}

    with republisher(tmp_path, aws, queues, broker) as hop:
        for share in (1, 2):
            listener.until(lambda share=share: sum(map(len, listener.numbers().values())) >= 200 * share)
            hop.kill()
            hop.start()
        listener.until(
            lambda: {name: in_order_without_repeats(n) for name, n in listener.numbers().items()} == expected
        )
        wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_while_the_broker_is_away_the_queue_keeps_all_and_nothing_is_dead(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=False, visibility=2)
    with republisher(tmp_path, aws, queues, broker) as hop:
        send(queues.work, "a", 1, 1)
        listener.until(lambda: listener.numbers() == {"a": [0]})
        broker.stop()
        wait_until(lambda: hop.metric("overfly_republish_connected") == 0, PATIENCE)
        send(queues.work, "b", 60, 1)
        wait_until(lambda: hop.metric("overfly_republish_oldest_seconds") > 5, PATIENCE)
        received = hop.metric("overfly_republish_received_total")
        assert received <= 1 + 40
        assert hop.metric("overfly_republish_received_again_total") == 0
        broker.start()
        listener.until(lambda: sorted(listener.numbers().get("b", [])) == list(range(60)))
        wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_while_nobody_subscribes_nothing_is_deleted_nor_dead_and_it_goes_on_by_itself(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    expected = {device: send(queues.work, device, 30, 1) for device in ("a", "b")}
    with republisher(tmp_path, aws, queues, broker) as hop:
        wait_until(lambda: hop.metric("overfly_republish_oldest_seconds") > 3, PATIENCE)
        assert hop.metric("overfly_republish_received_total") <= 40
        assert hop.metric("overfly_republish_sent_total") == 0
        assert hop.metric("overfly_republish_deleted_total") == 0
        assert "nobody subscribes to overfly/positions/" in hop.log
        listening = Listener(broker)
        listening.until(lambda: {name: sorted(n) for name, n in listening.numbers().items()} == expected)
        wait_until(lambda: queues.work.empty, PATIENCE)
        listening.close()

    assert queues.dead.empty


def test_each_poison_is_in_the_dead_letter_queue_with_its_reason_and_the_good_beside_it_goes_on(
    tmp_path: Path, aws: StandIn, queues: Queues, listener: Listener, broker: Mosquitto
) -> None:
    good = lines("a", [1])
    bad_topic = packed("aircraft/+/position", b'{"x":1}').decode()
    cut = packed("aircraft/a/position", b"x" * (2 << 20)).decode()
    queues.work.send(
        ["no JSON", good, f"{lines('a', [2])}\n{bad_topic}\n{lines('a', [3])}", cut, lines("a", [4])]
    )

    with republisher(tmp_path, aws, queues, broker) as hop:
        listener.until(lambda: listener.numbers() == {"a": [1, 2, 3, 4]})
        wait_until(lambda: queues.work.empty, PATIENCE)
        wait_until(lambda: hop.log.count('"republish.put_aside"') == 3, PATIENCE, lambda: hop.log)

    letters = {letter["MessageAttributes"]["Reason"]["StringValue"]: letter for letter in queues.letters()}
    assert {reason: letter["Body"] for reason, letter in letters.items()} == {
        "malformed": "no JSON",
        "bad_topic": bad_topic,
        "too_large": json.dumps(json.loads(cut) | {}, separators=(",", ":")).partition(',"cutFrom"')[0] + "}",
    }
    for letter in letters.values():
        assert letter["MessageAttributes"]["Detail"]["StringValue"]
        assert len(letter["MessageAttributes"]["SourceMessageId"]["StringValue"]) == 36
        assert letter["MessageAttributes"]["SourceMessageId"]["StringValue"] in hop.log
        assert letter["Attributes"].get("MessageGroupId") == (
            "1" if queues.work.url.endswith(".fifo") else None
        )


def test_bad_messages_whose_topic_nobody_reads_do_not_hold_up_the_good(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    listening = Listener(broker, ["overfly/positions/+"])
    bad = packed("aircraft/a/position", b"no JSON").decode()
    queues.work.send([f"{lines('a', [1])}\n{bad}\n{lines('a', [2])}"])

    with republisher(tmp_path, aws, queues, broker):
        listening.until(lambda: listening.numbers() == {"a": [1, 2]})
        wait_until(lambda: queues.work.empty, PATIENCE)
    listening.close()

    [letter] = queues.letters()
    assert letter["MessageAttributes"]["Reason"]["StringValue"] == "unheard"
    assert json.loads(letter["Body"])["topic"] == "aircraft/a/position"


def test_a_payload_as_it_came_is_at_its_own_topic_between_its_neighbours(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=True)
    bad = packed("aircraft/a/position", b"no JSON").decode()
    queues.work.send([f"{lines('a', [1])}\n{bad}\n{lines('a', [2])}"])

    with republisher(tmp_path, aws, queues, broker):
        listener.until(lambda: len(listener.got) == 3)

    shard = f"overfly/positions/{shard_of('a')}"
    assert [topic for topic, _ in listener.got] == [shard, "aircraft/a/position", shard]
    assert listener.got[1][1] == b"no JSON"


def test_arrays_fit_a_broker_that_takes_only_small_packets(tmp_path: Path, aws: StandIn) -> None:
    queues = Queues.make(aws, fifo=True)
    with Mosquitto(tmp_path / "broker", options={"max_packet_size": 20_000}) as broker:
        listening = Listener(broker)
        expected = send(queues.work, "a", 1, 60, 1000)
        too_large = lines("a", [60], 30_000)
        queues.work.send([too_large], str(shard_of("a")))
        with republisher(tmp_path, aws, queues, broker):
            listening.until(lambda: listening.numbers() == {"a": expected})
            wait_until(lambda: queues.work.empty, PATIENCE)
        listening.close()

    [letter] = queues.letters()
    assert letter["MessageAttributes"]["Reason"]["StringValue"] == "too_large"


def test_what_is_under_way_is_given_back_at_sigterm_when_it_cannot_get_through(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=120)
    send(queues.work, "a", 5, 1)
    with republisher(tmp_path, aws, queues, broker) as hop:
        wait_until(lambda: hop.metric("overfly_republish_waiting") == 5, PATIENCE)
        assert hop.stop() == 0

    assert queues.work.visible == 5
    assert queues.dead.empty


def test_without_a_place_for_poison_it_says_so_and_ends(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queue = Queue.make(aws, fifo=False)
    environment = {"OVERFLY_QUEUE_URL": queue.url, "OVERFLY_MQTT_URL": broker.url}

    ended = subprocess.run(
        [Path(sys.executable).with_name("overfly"), "republish"],
        env={**os.environ, **aws.environment(DESTINATION), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "give it one, or set OVERFLY_DEAD_LETTER_QUEUE_URL" in ended.stderr


EVERY_REQUEST = frozenset(
    {
        "ChangeMessageVisibilityBatch",
        "DeleteMessageBatch",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
    }
)


@pytest.mark.parametrize("fault", ["throttled", "denied", "lost"])
def test_a_queue_that_refuses_is_waited_out_and_said_and_nothing_is_lost(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener, fault: Fault
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=3)
    with QueueProxy(aws.endpoint) as proxy:
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        expected = {"a": send(queues.work, "a", 20, 5)}
        with hop:
            listener.until(lambda: len(listener.numbers().get("a", [])) >= 50)
            with proxy.refusing(fault, operations=EVERY_REQUEST):
                expected["b"] = send(queues.work, "b", 10, 5)
                wait_until(lambda: "republish.waiting" in hop.log, PATIENCE)
            listener.until(
                lambda: (
                    {name: in_order_without_repeats(n) for name, n in listener.numbers().items()} == expected
                )
            )
            wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_a_dead_letter_queue_that_may_not_be_used_is_named_while_it_is_waited_for(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    with QueueProxy(aws.endpoint) as proxy, proxy.refusing("denied", operations=frozenset({"GetQueueUrl"})):
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        with hop:
            wait_until(lambda: "republish.waiting" in hop.log, PATIENCE)
            assert hop.stop() == 0

    assert f"the dead-letter queue {queues.dead.arn}, which the queue's redrive policy names" in hop.log
    assert "GetQueueUrl: AccessDenied" in hop.log
    assert "OVERFLY_DEAD_LETTER_QUEUE_URL" in hop.log


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


def test_a_dead_letter_queue_that_refuses_holds_up_poison_and_its_group_only(
    tmp_path: Path, aws: StandIn, queues: Queues, broker: Mosquitto, listener: Listener
) -> None:
    fifo = queues.work.url.endswith(".fifo")
    with QueueProxy(aws.endpoint) as proxy, proxy.refusing("denied", operations=frozenset({"SendMessage"})):
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        with hop:
            for poison in range(4):
                queues.work.send(["no JSON"], f"poison-{poison}")
                wait_until(
                    lambda poison=poison: hop.metric("overfly_republish_received_total") > poison, PATIENCE
                )
            send(queues.work, "a", 20, 1)
            listener.until(lambda: sorted(set(listener.numbers().get("a", []))) == list(range(20)))
            wait_until(lambda: hop.metric("overfly_republish_deleted_total") == 20, PATIENCE)
            wait_until(lambda: hop.metric("overfly_republish_waiting") == 0, PATIENCE)
            assert "does not take a message" in hop.log
            assert queues.work.hidden == 4
            assert queues.work.visible == 0
            assert hop.stop() == 0

    assert queues.dead.empty
    assert fifo or sorted(listener.numbers()["a"]) == list(range(20))


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
