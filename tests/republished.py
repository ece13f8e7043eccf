"""What tests of the republisher share: its queues, a subscriber behind it, numbered positions."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.envelope import packed
from ingest.messages import receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.source import MqttSource
from ingest.topics import shard_of
from tests.brokers import Mosquitto
from tests.queues import Queue
from tests.stand_in import StandIn
from tests.waiting import wait_until

PATIENCE = 60.0
TOPICS = ("aircraft/+/position", "overfly/positions/+")


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
