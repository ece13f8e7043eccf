"""From the source broker into the queue of another account.

A message stays the broker's until SQS has accepted it: only then is it acknowledged, and in the order in
which it came, as MQTT asks (MQTT 5, 4.6). What the queue refuses is sent again until it takes it, whatever
the reason: an operator can mend every one of them, and nothing is lost meanwhile. A queue that takes smaller
messages only gets smaller ones. While more is held than `most_bytes`, nothing is received.
"""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Final

from ingest.aws.queue_sender import FIRST_RETRY, LAST_RETRY, Entry, Outcome, QueueSender
from ingest.aws.shard_lanes import NEVER, ShardLanes
from ingest.backoff import Backoff
from ingest.envelope import packed
from ingest.messages import Message, receipts
from ingest.mqtt.in_flight_limit import InFlightLimit
from ingest.mqtt.source import MqttSource
from ingest.topics import shard_of_topic

IDLE_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 6.0
"""How long the queue may take for the rest when we are to stop."""
MESSAGE_BYTES: Final = 250
"""What keeping a message takes beside its line."""


@dataclass(slots=True)
class BridgeCounters:
    """Since the start: messages received and sent, requests, entries of them accepted and refused, bytes of
    those accepted. Now: messages and bytes held, and since when the oldest (monotonic clock; None without).
    """

    received: int = 0
    sent: int = 0
    requests: int = 0
    entries: int = 0
    refused: int = 0
    bytes: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
    oldest_at: float | None = None


class Bridge:
    """Fills the queue of `sender` from `source`, until `stop`.

    `linger` is how long (s) the messages of a shard are gathered; they wait less where the broker sends no
    more before it gets acknowledgements. `problem` is what the queue refuses now, as a sentence without
    secrets; None when it refuses nothing.
    """

    def __init__(self, source: MqttSource, sender: QueueSender, *, linger: float, most_bytes: int) -> None:
        self.counters = BridgeCounters()
        self.problem: str | None = None
        self._source, self._sender, self._most_bytes = source, sender, most_bytes
        self._lanes = ShardLanes(linger, in_order=sender.fifo)
        self._batches: deque[_Batch] = deque()
        self._first_batch = 0  # the number of the oldest of them
        self._backoff, self._resume_at = Backoff(FIRST_RETRY, LAST_RETRY), 0.0
        self._refused: set[str] = set()
        self._connection, self._limit = 0, InFlightLimit()
        self._stopping = threading.Event()
        sender.on_outcome = source.wake

    def run(self) -> None:
        """Until `stop`; what the queue has not accepted by then is the broker's to deliver again."""
        try:
            while not self._stopping.is_set():
                self._turn()
            self._drain(time.monotonic() + DRAIN_SECONDS)
        finally:
            self._sender.close()
            self._source.close()

    def stop(self) -> None:
        """From any thread or a signal handler."""
        self._stopping.set()
        self._source.wake()

    def _turn(self) -> None:
        self._settle()
        self._send()
        if self.counters.waiting_bytes >= self._most_bytes:
            self._lanes.hurry(time.monotonic())
            self._source.rest(self._patience())
            return
        messages = self._source.receive(self._patience())
        if messages:
            self._take(messages)
        elif (stopped_at := self._limit.reached_at()) is not None and time.monotonic() >= stopped_at:
            self._lanes.hurry(time.monotonic())  # the broker waits for us

    def _drain(self, deadline: float) -> None:
        self._lanes.hurry(time.monotonic())
        while self._batches and self._source.connected and time.monotonic() < deadline:
            self._settle()
            self._send()
            if self._batches:
                self._source.rest(min(self._patience(), max(0.0, deadline - time.monotonic())))

    def _patience(self) -> float:
        """Seconds until there is something to do, if nothing comes before."""
        now = time.monotonic()
        due_at = max(self._lanes.due_at(), self._resume_at) if self._may_send() else NEVER
        stopped_at = self._limit.reached_at()
        if stopped_at is not None and self._lanes.gathering:
            due_at = min(due_at, stopped_at)
        return min(IDLE_SECONDS, max(0.0, due_at - now))

    # Into the lanes

    def _take(self, messages: list[Message]) -> None:
        now = time.monotonic()
        if self._source.connection != self._connection:
            self._connection, self._limit = self._source.connection, InFlightLimit()
        self._limit.received(self._source.unacknowledged, now)
        number = self._first_batch + len(self._batches)
        by_shard: defaultdict[int, list[bytes]] = defaultdict(list)
        for message in messages:
            topic = message.topic or ""
            by_shard[shard_of_topic(topic)].append(packed(topic, message.payload))
        size = len(messages) * MESSAGE_BYTES
        for shard, lines in by_shard.items():
            size += self._lanes.add(shard, lines, number, now)
        self._batches.append(_Batch(receipts(messages), len(messages), len(messages), size, now))
        self._note_held(received=len(messages), waiting=len(messages), size=size)

    # To the queue, and what it says

    def _may_send(self) -> bool:
        """While the queue refuses, one request at a time tries whether it still does."""
        return self._sender.under_way == 0 if self._backoff.failures else self._sender.free

    def _send(self) -> None:
        now = time.monotonic()
        while now >= self._resume_at and self._may_send() and (entries := self._lanes.take(now)):
            self._sender.send(entries)

    def _settle(self) -> None:
        for outcome in self._sender.outcomes():
            self.counters.requests += 1
            for entry in outcome.accepted:
                self._accept(entry)
            if not outcome.whole:
                self._backoff.reset()
            if outcome.refusal is not None:
                self._refuse(outcome)
        self.problem = self.problem if self._refused else None
        while self._batches and self._batches[0].pending == 0:
            batch = self._batches.popleft()
            self._first_batch += 1
            self._source.acknowledge(batch.receipts)
            self._limit.acknowledged(self._source.unacknowledged, time.monotonic())
            self._note_held(waiting=-batch.messages, size=-batch.size)

    def _accept(self, entry: Entry) -> None:
        self._lanes.settled(entry)
        self._refused.discard(entry.deduplication_id)
        for number, count in entry.shares:
            self._batches[number - self._first_batch].pending -= count
        self.counters.entries += 1
        self.counters.sent += len(entry.lines)
        self.counters.bytes += entry.size

    def _refuse(self, outcome: Outcome) -> None:
        now = time.monotonic()
        if outcome.whole and now >= self._resume_at:  # else it is news of the same failure
            self._resume_at = now + self._backoff.delay()
        for entry in outcome.refused:
            self._return(entry, [entry], now + (0.0 if outcome.whole else entry.backoff.delay()))
        for entry in outcome.unfit:
            self._return(entry, entry.halves(), now + entry.backoff.delay())
        self.counters.refused += len(outcome.refused) + len(outcome.unfit)
        self.problem = outcome.refusal

    def _return(self, entry: Entry, again: list[Entry], retry_at: float) -> None:
        self._lanes.returned(entry, again, retry_at)
        self._refused.discard(entry.deduplication_id)
        self._refused.update(each.deduplication_id for each in again)

    def _note_held(self, *, received: int = 0, waiting: int, size: int) -> None:
        self.counters.received += received
        self.counters.waiting += waiting
        self.counters.waiting_bytes += size
        self.counters.oldest_at = self._batches[0].since if self._batches else None


@dataclass(slots=True)
class _Batch:
    """Messages that are acknowledged together, their lines being in the lanes: how many, and their receipts.

    `pending` of them the queue has not accepted yet. `size` is what keeping them takes, in bytes.
    """

    receipts: list[int]
    messages: int
    pending: int
    size: int
    since: float
