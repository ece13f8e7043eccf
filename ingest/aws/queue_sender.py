"""Sending to an SQS queue by several threads, since boto3 blocks; what became of it is collected by one."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final

from ingest.aws.clients import is_fifo
from ingest.aws.faults import AwsError, code_sentence, sentence, temporary, temporary_code
from ingest.backoff import Backoff

SENDERS: Final = 4
"""Requests under way at once."""
FIRST_RETRY: Final = 0.1
LAST_RETRY: Final = 5.0
"""Seconds until what was refused is sent again: the first time, and at most."""


@dataclass(slots=True)
class Entry:
    """One message for the queue: lines of one shard, and how many of them came from which batch.

    `size` is that of the body in bytes. What makes a FIFO queue know it again stays the same over retries.
    """

    shard: int
    lines: list[bytes]
    size: int
    since: float
    shares: list[tuple[int, int]]
    deduplication_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_RETRY, LAST_RETRY))
    retry_at: float = 0.0

    def halves(self) -> "list[Entry]":
        """Its lines in two, for a queue that takes smaller messages only; itself where it is one line."""
        middle = len(self.lines) // 2
        return [self._part(0, middle), self._part(middle, len(self.lines))] if middle else [self]

    def _part(self, start: int, end: int) -> "Entry":
        lines, shares, first = self.lines[start:end], [], 0
        for batch, count in self.shares:
            inside = min(first + count, end) - max(first, start)
            if inside > 0:
                shares.append((batch, inside))
            first += count
        return Entry(self.shard, lines, sum(map(len, lines)) + len(lines) - 1, self.since, shares)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request. `refusal` is a sentence about what was refused, None where nothing was.

    `unfit` are the refused ones that would be refused again as they are. `whole`: the request itself failed,
    so that nobody knows whether its entries arrived.
    """

    accepted: list[Entry]
    refused: list[Entry]
    unfit: list[Entry]
    refusal: str | None = None
    whole: bool = False


class QueueSender:
    """Sends entries to `queue_url`; on a FIFO queue the shard is the message group.

    One thread calls everything here. `on_outcome` is called by another whenever `outcomes` has a new one.
    """

    def __init__(self, client: Any, queue_url: str, senders: int = SENDERS) -> None:
        self.fifo = is_fifo(queue_url)
        self.on_outcome: Callable[[], None] = lambda: None
        self._client, self._queue_url = client, queue_url
        self._senders, self._under_way = senders, 0
        self._requests: SimpleQueue[list[Entry] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
        for number in range(senders):
            # daemons: one that waits for an answer does not hold up the end of the process
            threading.Thread(target=self._work, name=f"queue sender {number}", daemon=True).start()

    @property
    def under_way(self) -> int:
        """Requests without an outcome yet."""
        return self._under_way

    @property
    def free(self) -> bool:
        return self._under_way < self._senders

    def send(self, entries: list[Entry]) -> None:
        """At most REQUEST_ENTRIES of at most REQUEST_BYTES, on a FIFO queue each of another shard."""
        self._under_way += 1
        self._requests.put(entries)

    def outcomes(self) -> list[Outcome]:
        """Of the requests that have ended since."""
        ended: list[Outcome] = []
        while True:
            try:
                outcome = self._outcomes.get_nowait()
            except Empty:
                return ended
            if outcome is None:
                raise RuntimeError("a thread that sends to the queue has died; its traceback is above")
            self._under_way -= 1
            ended.append(outcome)

    def close(self) -> None:
        """Lets the threads end; what is under way is not waited for."""
        for _ in range(self._senders):
            self._requests.put(None)

    def _work(self) -> None:
        while (entries := self._requests.get()) is not None:
            outcome = None
            try:
                outcome = self._sent(entries)
            finally:
                self._outcomes.put(outcome)
                self.on_outcome()

    def _sent(self, entries: list[Entry]) -> Outcome:
        request = [self._request(number, entry) for number, entry in enumerate(entries)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=request)
        except AwsError as error:
            again, unfit = (entries, []) if temporary(error) else ([], entries)
            return Outcome([], again, unfit, sentence(error), whole=True)
        return _outcome(entries, answer)

    def _request(self, number: int, entry: Entry) -> dict[str, str]:
        request = {"Id": str(number), "MessageBody": b"\n".join(entry.lines).decode()}
        if self.fifo:
            request["MessageGroupId"] = str(entry.shard)
            request["MessageDeduplicationId"] = entry.deduplication_id
        return request


def _outcome(entries: Sequence[Entry], answer: dict[str, Any]) -> Outcome:
    arrived = {int(each["Id"]) for each in answer.get("Successful", ())}
    said = {int(each["Id"]): each for each in answer.get("Failed", ())}
    accepted: list[Entry] = []
    refused: list[Entry] = []
    unfit: list[Entry] = []
    for number, entry in enumerate(entries):
        if number in arrived:
            accepted.append(entry)
        else:
            again = temporary_code(said.get(number, {}).get("Code", ""))
            (refused if again else unfit).append(entry)
    if len(accepted) == len(entries):
        return Outcome(accepted, refused, unfit)
    first: dict[str, Any] = next(iter(said.values()), {})
    what = code_sentence(first.get("Code", "no answer"), first.get("Message"))
    count = f"{len(entries) - len(accepted)} of {len(entries)} entries"
    return Outcome(accepted, refused, unfit, f"SendMessageBatch: {count} refused: {what}")
