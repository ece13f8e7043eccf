"""Letters of the dead-letter queue: listed, and sent back to the queue that they came from.

A letter is deleted only after it was sent, so that an interruption loses none; on a FIFO queue the same
letter sent twice within five minutes is one. What comes back from the queue while we send is left alone, or
bad letters would go round for ever.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, Final, NamedTuple

from ingest.aws.claims import hide
from ingest.aws.clients import is_fifo
from ingest.aws.limits import REQUEST_ENTRIES
from ingest.aws.polling import POLL_SECONDS, answered_at

HIDDEN_SECONDS: Final = 300
"""How long letters that we have seen stay hidden from us and others, unless we show them again before."""
MOVED: Final = "receives"
"""The reason of a letter that SQS itself moved, because it was received too often."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`sent_time` in ms since the epoch; `receives` is how often it was received, here and before."""

    message_id: str
    handle: str
    reason: str
    detail: str
    sources: str
    sent_time: int
    receives: int
    group: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many letters were sent back, and how many were left: of another reason, or come since we began."""

    sent: int
    left: int


class _Seen(NamedTuple):
    """What of a letter is kept until the end: bodies may be large, and many."""

    handle: str


class DeadLetterBox:
    """Reads the dead-letter queue at `url` through `client`, a boto3 client of SQS.

    Its methods raise AwsError (aws.faults), and show what they did not delete again.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client, self.url = client, url

    def count(self) -> int:
        """About how many there are."""
        name = "ApproximateNumberOfMessages"
        answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer["Attributes"].get(name, 0))

    def letters(self, most: int, reason: str | None = None) -> list[Letter]:
        """Up to `most` of them, of this reason. A FIFO queue shows ten of a group at a time and no more."""
        found: list[Letter] = []
        with self._shown_again() as seen:
            for letters, _ in self._received(seen):
                found += [letter for letter in letters if reason in (None, letter.reason)]
                if len(found) >= most:
                    break
        return found[:most]

    def send_back(
        self,
        queue_url: str,
        reason: str | None,
        progress: Callable[[Redriven], None],
        stop: Event,
    ) -> Redriven:
        """Sends all letters of this reason to the queue at `queue_url`, in the order in which they come."""

        def send(letter: Letter) -> bool:
            self._client.send_message(QueueUrl=queue_url, **_message(letter, queue_url))
            return True

        return self.hand_over(send, reason, progress, stop)

    def hand_over(
        self,
        take: Callable[[Letter], bool],
        reason: str | None,
        progress: Callable[[Redriven], None],
        stop: Event,
    ) -> Redriven:
        """Gives all letters of this reason to `take`, in the order in which they come; those that it has
        taken are deleted. It may raise AwsError.
        """
        sent, begun = 0, None
        with self._shown_again() as seen:
            for letters, answered_at in self._received(seen):
                begun = begun or answered_at
                chosen = [
                    each for each in letters if reason in (None, each.reason) and each.sent_time < begun
                ]
                for letter in chosen:
                    if not take(letter):
                        continue
                    self._client.delete_message(QueueUrl=self.url, ReceiptHandle=letter.handle)
                    del seen[letter.message_id]
                    sent += 1
                progress(Redriven(sent, len(seen)))
                if stop.is_set():
                    break
            return Redriven(sent, len(seen))

    def _received(self, seen: dict[str, _Seen]) -> Iterator[tuple[list[Letter], int]]:
        """Letters not seen before, until there are none, and the end (ms) of the second in which the
        queue answered; adds them to `seen`, by id.
        """
        while True:
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=REQUEST_ENTRIES,
                WaitTimeSeconds=POLL_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            messages = [_letter(message) for message in answer.get("Messages", [])]
            if not messages:
                return
            letters = [letter for letter in messages if letter.message_id not in seen]
            seen.update((letter.message_id, _Seen(letter.handle)) for letter in messages)
            yield letters, int(answered_at(answer) * 1000) + 1000

    @contextmanager
    def _shown_again(self) -> Iterator[dict[str, _Seen]]:
        """Letters by id; those left at the end are shown to others at once."""
        seen: dict[str, _Seen] = {}
        try:
            yield seen
        finally:
            hide(self._client, self.url, list(seen.values()), 0)


def _letter(message: Any) -> Letter:
    system, own = message.get("Attributes", {}), message.get("MessageAttributes", {})

    def text(name: str) -> str:
        return str(own.get(name, {}).get("StringValue", ""))

    return Letter(
        message_id=message["MessageId"],
        handle=message["ReceiptHandle"],
        reason=text("Reason") or MOVED,
        detail=text("Detail"),
        sources=text("SourceMessageId"),
        sent_time=int(system.get("SentTimestamp", 0)),
        receives=int(system.get("ApproximateReceiveCount", 0)),
        group=system.get("MessageGroupId"),
        body=message["Body"],
    )


def _message(letter: Letter, queue_url: str) -> dict[str, str]:
    message = {"MessageBody": letter.body}
    if is_fifo(queue_url):
        message |= {
            "MessageGroupId": letter.group or letter.reason,
            "MessageDeduplicationId": f"redrive-{letter.message_id}",
        }
    return message
