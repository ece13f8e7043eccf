"""What cannot be delivered, put aside in the dead-letter queue with its reason."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ingest.aws.clients import is_fifo
from ingest.aws.faults import AwsError, sentence
from ingest.aws.limits import BODY_BYTES
from ingest.republishing.bodies import Undeliverable

DETAIL_CHARACTERS: Final = 400
IDS: Final = 10
"""Most messages that a dead letter names as its sources."""


class DeadLetterQueueAway(Exception):
    """It cannot be found now: a sentence that names it and says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`group` is that of the message it came from, None on a standard queue.

    `sources` are the ids of the messages that it came from. `key` is the same at every try, so that a FIFO
    queue keeps one.
    """

    undeliverable: Undeliverable
    sources: tuple[str, ...]
    group: str | None
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


class DeadLetterQueue:
    """Sends to the queue at `url` through `client`, a boto3 client of SQS."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self.url = client, url
        self.problem: str | None = None

    def unsent(
        self, letters: Sequence[DeadLetter], has_time: Callable[[], bool] = lambda: True
    ) -> list[DeadLetter]:
        """Sends them while there is time, and answers those that the queue did not take, which are to be
        sent again.
        """
        for place, letter in enumerate(letters):
            if not has_time():
                return list(letters[place:])
            try:
                self._client.send_message(QueueUrl=self.url, **self._message(letter))
            except AwsError as error:
                self.problem = f"the dead-letter queue {self.url} does not take a message: {sentence(error)}"
                return list(letters[place:])
        self.problem = None
        return []

    def _message(self, letter: DeadLetter) -> dict[str, Any]:
        why = letter.undeliverable
        attributes = {
            "Reason": why.reason,
            "Detail": _text(why.detail[:DETAIL_CHARACTERS]),
            "SourceMessageId": ",".join(letter.sources[:IDS]),
        }
        room = BODY_BYTES - sum(
            len(name) + len(text.encode()) + len("String") for name, text in attributes.items()
        )
        message: dict[str, Any] = {
            "MessageBody": _cut(_text(why.body), room),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()
            },
        }
        if is_fifo(self.url):
            message |= {
                "MessageGroupId": letter.group or why.reason,
                "MessageDeduplicationId": letter.key,
            }
        return message


def _cut(body: str, most: int) -> str:
    """The attributes count too: a body that leaves them no room is cut."""
    encoded = body.encode()
    return body if len(encoded) <= most else encoded[:most].decode("utf-8", "ignore")


def _text(text: str) -> str:
    """With what SQS does not take replaced; a text of at least one character."""
    return _REFUSED.sub("\ufffd", text) or "-"


_REFUSED: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
