"""The queue that the republisher empties: received messages are hidden from others until they are deleted.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.aws.clients import is_fifo
from ingest.aws.faults import code_sentence, temporary_code
from ingest.aws.limits import REQUEST_ENTRIES


@dataclass(frozen=True, slots=True)
class Claim:
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


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Claims of which the queue did not do what was asked: to try again, and lost (no longer ours)."""

    to_retry: list[Claim]
    lost: list[Claim]
    problem: str | None


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

    def receive(self, wait: int, hidden_seconds: int) -> list[Claim]:
        """Up to ten messages, for which it waits up to `wait` seconds."""
        answer = self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=REQUEST_ENTRIES,
            WaitTimeSeconds=wait,
            VisibilityTimeout=hidden_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
        )
        return [self._claim(message) for message in answer.get("Messages", [])]

    def delete(self, claims: Sequence[Claim]) -> Unchanged:
        """They are done."""
        return self._in_batches(claims, self._client.delete_message_batch, {})

    def hide(self, claims: Sequence[Claim], seconds: int) -> Unchanged:
        """They stay hidden for so long from now; 0 shows them at once."""
        return self._in_batches(
            claims, self._client.change_message_visibility_batch, {"VisibilityTimeout": seconds}
        )

    def _claim(self, message: Any) -> Claim:
        attributes = message.get("Attributes", {})
        return Claim(
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            attributes.get("MessageGroupId") if self.fifo else None,
            int(attributes.get("ApproximateReceiveCount", 1)),
        )

    def _in_batches(
        self, claims: Sequence[Claim], request: Callable[..., Any], entry: dict[str, int]
    ) -> Unchanged:
        unchanged = Unchanged([], [], None)
        for start in range(0, len(claims), REQUEST_ENTRIES):
            some = claims[start : start + REQUEST_ENTRIES]
            entries = [
                {"Id": str(place), "ReceiptHandle": claim.handle, **entry} for place, claim in enumerate(some)
            ]
            for failed in request(QueueUrl=self.url, Entries=entries).get("Failed", []):
                claim, code = some[int(failed["Id"])], str(failed.get("Code", ""))
                gone = not temporary_code(code) or code.endswith("MessageNotInflight")
                (unchanged.lost if gone else unchanged.to_retry).append(claim)
                problem = code_sentence(code, failed.get("Message"))
                unchanged = Unchanged(unchanged.to_retry, unchanged.lost, problem)
        return unchanged
