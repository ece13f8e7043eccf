"""The queue that the republisher empties."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.aws.claims import Unchanged, delete, hide
from ingest.aws.clients import is_fifo
from ingest.aws.limits import REQUEST_ENTRIES


@dataclass(frozen=True, slots=True)
class Received:
    """A received message, ours while it is hidden. `group` is None on a standard queue."""

    message_id: str
    handle: str
    body: str
    group: str | None
    receives: int


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """`hidden_seconds` is the queue's visibility timeout, `waiting` about how many messages it has."""

    hidden_seconds: int
    waiting: int
    dead_letter_arn: str | None


class WorkQueue:
    """Calls of SQS, for any thread. They raise AwsError where a whole request fails."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self.url = client, url
        self.fifo = is_fifo(url)

    def facts(self) -> QueueFacts:
        names = ["VisibilityTimeout", "ApproximateNumberOfMessages", "RedrivePolicy"]
        given = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        attributes = given.get("Attributes", {})
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        return QueueFacts(
            max(1, int(attributes.get("VisibilityTimeout", 30))),
            int(attributes.get("ApproximateNumberOfMessages", 0)),
            policy.get("deadLetterTargetArn"),
        )

    def receive(self, wait: int, hidden_seconds: int) -> list[Received]:
        """Up to ten messages, for which it waits up to `wait` seconds."""
        answer = self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=REQUEST_ENTRIES,
            WaitTimeSeconds=wait,
            VisibilityTimeout=hidden_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
        )
        return [_received(message, fifo=self.fifo) for message in answer.get("Messages", [])]

    def delete(self, received: Sequence[Received]) -> Unchanged[Received]:
        """They are done."""
        return delete(self._client, self.url, received)

    def hide(self, received: Sequence[Received], seconds: int) -> Unchanged[Received]:
        """They stay hidden for so long from now; 0 shows them at once."""
        return hide(self._client, self.url, received, seconds)


def _received(message: Any, *, fifo: bool) -> Received:
    attributes = message.get("Attributes", {})
    return Received(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        attributes.get("MessageGroupId") if fifo else None,
        int(attributes.get("ApproximateReceiveCount", 1)),
    )
