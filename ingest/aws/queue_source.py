"""Messages from an SQS queue, in batches that are deleted there when they are safe.

A received message is hidden from other readers for some seconds, and shown again if it is not deleted by
then: what a crash cuts off comes again. We delete it when all that was made of it is committed, and keep it
hidden until then, however long the database is away. What is held is bounded; while it is full, nothing is
received.

boto3 blocks, so two threads talk to SQS: one receives, one deletes and hides (`QueueKeeper`). The thread that
commits takes from what was received.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from ingest.aws.clients import is_fifo
from ingest.aws.faults import AwsError, sentence
from ingest.aws.held_messages import Held, HeldMessages
from ingest.aws.polling import POLL_SECONDS, answered_at
from ingest.aws.queue_keeper import QueueKeeper
from ingest.backoff import Backoff
from ingest.envelope import unpacked
from ingest.messages import Message

BEHIND_POLL_SECONDS: Final = 1
"""The same of a request while the queue is not known to be drained, which an empty answer tells."""
LIVE_SECONDS: Final = 2.0
"""A message that waited no longer in the queue was sent just now: there is no backlog."""
BLIP_SECONDS: Final = 1.0
"""A shorter failure is no lost connection: the clock of the reorder window stands, but starts not anew."""
CLOSE_SECONDS: Final = 4.0


class QueueSource:
    """Messages of the queue at `url`, read through `client`, a boto3 client of SQS.

    A batch closes at `batch_size` messages or `batch_bytes` of bodies, a body never being parted, or with all
    that was received while the last one was committed. At most `most_held` messages of the queue and
    `held_bytes` of their bodies are held. An empty queue holds a request for `poll_seconds`.
    """

    def __init__(
        self,
        client: Any,
        url: str,
        *,
        batch_size: int = 5000,
        batch_bytes: int = 4 << 20,
        most_held: int = 1000,
        held_bytes: int = 24 << 20,
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self._client, self.url = client, url
        self._poll_seconds = poll_seconds
        self._size, self._bytes = batch_size, batch_bytes
        self._held = HeldMessages(most_held, held_bytes)
        self._keeper = QueueKeeper(client, url, self._held)
        self._bodies: deque[Held] = deque()
        # a SimpleQueue may be put to in a signal handler
        self._arrived: queue.SimpleQueue[Held | None] = queue.SimpleQueue()
        self._woken = self._drained = False
        self._live = False  # what the last answer of the queue says
        self._away_since: float | None = float("-inf")
        self._problem: str | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._died: BaseException | None = None
        self.connection = 0

    # State, for logs, /ready, metrics and the reorder window

    @property
    def facts(self) -> dict[str, object]:
        """What logs say of it."""
        return {"queue": self.url, "type": "FIFO" if is_fifo(self.url) else "standard"}

    @property
    def connected(self) -> bool:
        """The queue answered the last request for messages, and gave what it had."""
        return self._away_since is None

    @property
    def subscribed(self) -> bool:
        """Connected, and able to delete what is done."""
        return self.connected and self._keeper.problem is None

    @property
    def problem(self) -> str | None:
        return self._problem or self._keeper.problem

    @property
    def drained(self) -> bool:
        """When the last batch closed, the queue had nothing, or nothing older than LIVE_SECONDS."""
        return self._drained and self.subscribed

    @property
    def depth(self) -> int | None:
        """How many messages wait in the queue, about; None where that is not known."""
        return self._keeper.depth

    @property
    def held_seconds(self) -> float:
        """Since the oldest message that we hold was received; 0 where none is held."""
        oldest = self._held.oldest()
        return 0.0 if oldest is None else time.monotonic() - oldest

    # Work

    def receive(self, timeout: float) -> list[Message]:
        """The next batch; [] when nothing came within `timeout` seconds or `wake` was called."""
        self._start()
        self._gather(timeout)
        batch: list[Message] = []
        size = 0
        while self._bodies and len(batch) < self._size and size < self._bytes:
            held = self._bodies.popleft()
            messages = unpacked(held.body, redelivered=held.redelivered, receipt=held.number)
            self._held.give_out(held, len(messages))
            size += held.size
            batch += messages
        self._drained = self._live and not self._bodies
        return batch

    def acknowledge(self, receipts: Iterable[int]) -> None:
        """These are safe: a message of the queue of which all are is deleted, soon."""
        self._held.acknowledge(Counter(receipts))

    def rest(self, seconds: float) -> None:
        """Waits for so long, or until `wake`; what is held stays ours, and more is taken up to the bounds."""
        self._live = self._drained = False
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                held = self._arrived.get(timeout=left)
            except queue.Empty:
                return
            if not self._keep(held):
                return

    def wake(self) -> None:
        """Makes a `receive` or `rest` that waits return; from any thread or a signal handler."""
        if not self._woken:
            self._woken = True
            self._arrived.put(None)

    def close(self) -> None:
        """Deletes what is done, and shows the rest to others at once rather than when its time is over."""
        self._closing.set()
        self._held.wake()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._threads:
            self._keeper.let_go(deadline)

    # The thread that commits

    def _start(self) -> None:
        if self._died is not None:
            raise self._died
        if not self._threads:
            works = (self._receive_all, lambda: self._keeper.run(self._closing))
            self._threads = [
                threading.Thread(target=self._guarded, args=(work,), name="queue", daemon=True)
                for work in works
            ]
            for thread in self._threads:
                thread.start()

    def _gather(self, timeout: float) -> None:
        """Takes in all that was received; waits for it where there is nothing, but not when woken."""
        try:
            if not self._bodies:
                self._keep(self._arrived.get(timeout=timeout))
            while True:
                self._keep(self._arrived.get_nowait())
        except queue.Empty:
            return

    def _keep(self, held: Held | None) -> bool:
        """False where it is only somebody who wakes us."""
        if held is None:
            self._woken = False
            return False
        self._bodies.append(held)
        return True

    # The thread that receives

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # raised again from `receive`, in the thread that waits
            self._died = error
            self.wake()

    def _receive_all(self) -> None:
        self._keeper.look()  # for how long messages are to be hidden
        backoff = Backoff(longest=10.0)
        while not self._closing.is_set():
            room = self._held.room()
            if not room:
                self._live = False
                self._held.wait_for_room(1.0)
                continue
            wait, held_before, asked_at = self._patience(), len(self._held), time.monotonic()
            try:
                answer = self._ask(room, wait)
            except AwsError as error:
                self._lost(sentence(error))
                self._closing.wait(backoff.delay())
            else:
                backoff.reset()
                self._found(asked_at)
                self._take(answer, asked_at, proof=wait > 0 and not held_before)

    def _patience(self) -> int:
        """For how many seconds an empty queue may hold the next request."""
        if not self.connected:
            return 0  # so that a connection is known at once
        return self._poll_seconds if self._live else BEHIND_POLL_SECONDS

    def _ask(self, room: int, wait: int) -> Any:
        return self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=room,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._keeper.hidden_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )

    def _lost(self, problem: str) -> None:
        self._live = False
        self._problem = problem
        if self._away_since is None:
            self._away_since = time.monotonic()

    def _found(self, asked_at: float) -> None:
        if self._away_since is not None:
            if asked_at - self._away_since >= BLIP_SECONDS:
                self.connection += 1
            self._problem = self._away_since = None

    def _take(self, answer: Any, asked_at: float, *, proof: bool) -> None:
        """proof: no messages are none. A request that does not wait asks some of the servers only, and what
        we hold of a FIFO group hides the rest of the group.
        """
        messages = answer.get("Messages", [])
        sent = [
            int(message["Attributes"]["SentTimestamp"]) / 1000
            for message in messages
            if message["Attributes"]["ApproximateReceiveCount"] == "1"
        ]
        if sent:
            self._live = answered_at(answer) - min(sent) < LIVE_SECONDS
        elif not messages and proof:
            self._live = True
        for message in messages:
            held = self._held.take(
                message["MessageId"],
                message["ReceiptHandle"],
                message["Body"].encode("utf-8", "surrogatepass"),
                redelivered=message["Attributes"]["ApproximateReceiveCount"] != "1",
                received_at=time.monotonic(),
                hidden_until=asked_at + self._keeper.hidden_seconds,
            )
            if held is not None:
                self._arrived.put(held)
