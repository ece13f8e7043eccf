"""Queues at the AWS stand-in, for tests: filled, and looked at."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from tests.stand_in import DESTINATION, StandIn

BATCH = 10


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of account B. `client` speaks to the stand-in itself."""

    url: str
    client: Any

    @classmethod
    def make(cls, aws: StandIn, *, fifo: bool = True, visibility: int = 20, **attributes: str) -> Self:
        """`visibility` in seconds; more `attributes` by SQS's own names."""
        client = aws.client("sqs", DESTINATION)
        kind = {"FifoQueue": "true"} if fifo else {}
        url = client.create_queue(
            QueueName=f"positions-{uuid.uuid4().hex[:8]}{'.fifo' if fifo else ''}",
            Attributes={**kind, "VisibilityTimeout": str(visibility), **attributes},
        )["QueueUrl"]
        return cls(url, client)

    @property
    def arn(self) -> str:
        return self._attributes()["QueueArn"]

    @property
    def visible(self) -> int:
        """Messages that the next reader would get."""
        return int(self._attributes()["ApproximateNumberOfMessages"])

    @property
    def hidden(self) -> int:
        """Messages that somebody has received and not deleted."""
        return int(self._attributes()["ApproximateNumberOfMessagesNotVisible"])

    @property
    def empty(self) -> bool:
        return self.visible == self.hidden == 0

    def send(self, bodies: Iterable[str | bytes], group: str = "1") -> None:
        """In order; `group` is what a FIFO queue puts them into."""
        waiting = iter(bodies)
        while batch := list(islice(waiting, BATCH)):
            entries = [
                {
                    "Id": str(place),
                    "MessageBody": body if isinstance(body, str) else body.decode(),
                    **self._order(group),
                }
                for place, body in enumerate(batch)
            ]
            answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            assert "Failed" not in answer or not answer["Failed"], answer

    def _order(self, group: str) -> dict[str, str]:
        if not self.url.endswith(".fifo"):
            return {}
        return {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}

    def _attributes(self) -> dict[str, str]:
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        attributes: dict[str, str] = found["Attributes"]
        return attributes


def parted(texts: list[str], size: int) -> Iterator[str]:
    """Lines in bodies of `size` each."""
    for start in range(0, len(texts), size):
        yield "\n".join(texts[start : start + size])
