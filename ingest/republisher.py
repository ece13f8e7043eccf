"""From the queue to the destination: receive, publish, and delete what is delivered.

Some threads take batches from the queue, since boto3 blocks: each receives one, hands it to the courier,
keeps it hidden from others meanwhile, and deletes what was delivered. The thread that calls `run` publishes.
While the destination is away, or nobody subscribes there, what was received is kept and nothing more is
received: good messages do not wear out their receives, and do not end in the dead-letter queue.

A dead-letter queue that refuses is waited for some seconds only. Then poison goes back to the queue, on a
FIFO queue with what follows in its group, hidden for its normal time; the rest goes on. It is tried again
whenever it is received again; the queue's own redrive policy may move it first, and then without a reason.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ingest.aws.claims import Unchanged
from ingest.aws.faults import AwsError, sentence
from ingest.aws.limits import REQUEST_ENTRIES
from ingest.aws.polling import POLL_SECONDS
from ingest.backoff import Backoff
from ingest.republishing.courier import Courier, Published
from ingest.republishing.dead_letters import DeadLetter, DeadLetterQueue, DeadLetterQueueAway
from ingest.republishing.destination import Destination
from ingest.republishing.queue_batch import QueueBatch
from ingest.republishing.work_queue import Received, WorkQueue

DRAIN_SECONDS: Final = 3.0
"""How long batches under way may take after `stop` before they are given back."""
END_SECONDS: Final = 9.0
"""How long after `stop` an end waits for requests that hang."""
PUT_ASIDE_SECONDS: Final = 5.0
"""How long a dead-letter queue that refuses is waited for, by all batches together: while it goes on
refusing, each later batch tries once.
"""
LOOK_SECONDS: Final = 10.0
"""Between two looks at how many messages wait in the queue."""
PATIENCE: Final = 0.25
LONGEST_PAUSE: Final = 10.0


class NoDeadLetterQueue(Exception):
    """There is no place for what cannot be delivered."""


@dataclass(slots=True)
class Counts:
    """Of queue messages since the start; `again` are those received that had been received before."""

    received: int = 0
    received_bytes: int = 0
    again: int = 0
    deleted: int = 0
    given_back: int = 0
    dead_letters: int = 0
    requests: int = 0


class _Held:
    """A batch that is under way."""

    def __init__(self, claims: list[Received], hidden_seconds: int) -> None:
        self.claims, self.received_at = claims, time.monotonic()
        self.deleted: set[str] = set()
        self.extend_at = self.received_at + hidden_seconds / 3
        self.batch = QueueBatch(
            [claim.message_id for claim in claims],
            [claim.group for claim in claims],
            [claim.body for claim in claims],
        )

    @property
    def done(self) -> list[Received]:
        return [claim for claim, done in zip(self.claims, self.batch.done(), strict=True) if done]

    @property
    def left(self) -> list[Received]:
        """Not deleted yet."""
        return [claim for claim in self.claims if claim.message_id not in self.deleted]


class Republisher:
    """`dead_letter_queue` makes the one for the ARN that the queue's own policy names, or None; it may raise
    DeadLetterQueueAway.

    `batches` is how many batches of ten messages are under way at most. `on_put_aside` is told by several
    threads what the dead-letter queue has taken.
    """

    def __init__(
        self,
        queue: WorkQueue,
        destination: Destination,
        dead_letter_queue: Callable[[str | None], DeadLetterQueue | None],
        *,
        batches: int = 4,
        on_put_aside: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
    ) -> None:
        self.queue, self.destination, self.counts = queue, destination, Counts()
        self.depth: int | None = None  # messages that wait in the queue, about; None while not known
        self._courier = Courier(destination)
        self._make_dead_letter_queue, self._on_put_aside = dead_letter_queue, on_put_aside
        self._dead_letters: DeadLetterQueue | None = None
        self._batches, self._hidden_seconds = batches, 30
        self._known = threading.Event()
        self._stop, self._let_go_at = threading.Event(), float("inf")
        self._asking, self._full = threading.Lock(), False
        self._counting = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._problems: dict[str, str] = {}
        self._refused_since: float | None = None  # by the dead-letter queue
        self._died: BaseException | None = None

    # State, for logs and metrics

    @property
    def published(self) -> Published:
        return self._courier.published

    @property
    def problem(self) -> str | None:
        """What is wrong now, as a sentence without secrets; None when nothing is."""
        return self._courier.problem or next(iter(list(self._problems.values())), None)

    @property
    def held(self) -> int:
        """Messages received, and neither deleted nor given back."""
        return sum(len(held.left) for held in list(self._held.values()))

    @property
    def held_seconds(self) -> float:
        """Since the oldest of them was received; 0 where none is held."""
        times = [held.received_at for held in list(self._held.values())]
        return time.monotonic() - min(times) if times else 0.0

    # Work

    def run(self) -> None:
        """Until `stop`. Raises NoDeadLetterQueue, AwsClientError, and what else a thread of ours died of."""
        works = [self._look, *[self._take_batches] * self._batches]
        threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"queue-{number}", daemon=True)
            for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._courier.turn(PATIENCE)
            if time.monotonic() > self._let_go_at - DRAIN_SECONDS + END_SECONDS:
                break
        self.destination.close()
        if self._died is not None:
            raise self._died

    def stop(self) -> None:
        """From any thread or a signal handler."""
        if not self._stop.is_set():
            self._let_go_at = time.monotonic() + DRAIN_SECONDS
            self._stop.set()
            self.destination.wake()

    # Threads that take batches

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # raised again from `run`, in the thread that waits
            self._died = error
            self.stop()

    def _look(self) -> None:
        """Learns what the queue says of itself, and then how many messages wait in it."""
        backoff = Backoff(longest=LONGEST_PAUSE)
        while not self._stop.is_set():
            pause, depth = backoff.delay(), None
            with self._asked("look"):
                facts = self.queue.facts()
                self._hidden_seconds, depth = facts.hidden_seconds, facts.waiting
                if self._dead_letters is None:
                    self._dead_letters = self._make_dead_letter_queue(facts.dead_letter_arn)
                    if self._dead_letters is None:
                        raise NoDeadLetterQueue
                self._known.set()
                pause = LOOK_SECONDS
                backoff.reset()
            self.depth = depth
            self._stop.wait(pause)

    def _take_batches(self) -> None:
        backoff = Backoff(longest=LONGEST_PAUSE)
        while not self._stop.is_set():
            if not (self._known.wait(PATIENCE) and self._courier.clear.wait(PATIENCE)):
                continue
            received = False
            with self._asked("receive"):
                claims = self._received()
                received = True
            if not received:
                self._stop.wait(backoff.delay())
                continue
            backoff.reset()
            if claims:
                self._work_on(claims)

    def _received(self) -> list[Received]:
        """The next messages. While there are few, one thread asks and the others wait: an idle queue costs
        one request, not one of each.
        """
        if not self._full:
            with self._asking:
                if self._full or self._stop.is_set():
                    return []
                claims = self.queue.receive(POLL_SECONDS, self._hidden_seconds)
        else:
            claims = self.queue.receive(POLL_SECONDS, self._hidden_seconds)
        self._full = len(claims) == REQUEST_ENTRIES
        with self._counting:
            self.counts.received += len(claims)
            self.counts.received_bytes += sum(len(claim.body) for claim in claims)
            self.counts.again += sum(claim.receives > 1 for claim in claims)
        return claims

    def _work_on(self, claims: list[Received]) -> None:
        held = _Held(claims, self._hidden_seconds)
        self._held[id(held)] = held
        try:
            self._courier.hand_in(held.batch.consignment)
            self._wait_until_published(held)
            self._settle(held)
        finally:
            del self._held[id(held)]

    def _wait_until_published(self, held: _Held) -> None:
        consignment = held.batch.consignment
        while not consignment.done.wait(PATIENCE):
            if self._is_to_let_go() or not self._keep_hidden(held):
                consignment.withdrawn = True
                return

    def _settle(self, held: _Held) -> None:
        """Deletes what is done, once what cannot be delivered is put aside; gives back the rest."""
        backoff = Backoff(longest=LONGEST_PAUSE)
        while True:
            self._put_aside(held)
            done = held.done
            to_retry = self._delete([claim for claim in done if claim.message_id not in held.deleted])
            held.deleted.update(claim.message_id for claim in done if claim not in to_retry)
            unsent = held.batch.has_unsent and not held.batch.consignment.withdrawn
            waits = bool(to_retry) or (unsent and self._put_aside_seconds() > 0)
            if not waits or self._is_to_let_go() or not self._keep_hidden(held):
                break
            pause = backoff.delay()
            self._stop.wait(min(pause, self._put_aside_seconds()) if unsent and not to_retry else pause)
        hidden_seconds = self._hidden_seconds if unsent and not self._stop.is_set() else 0
        self._give_back([claim for claim in held.claims if claim not in done], hidden_seconds)

    def _put_aside_seconds(self) -> float:
        """How much longer the dead-letter queue is waited for."""
        since = self._refused_since
        return PUT_ASIDE_SECONDS if since is None else max(0.0, since + PUT_ASIDE_SECONDS - time.monotonic())

    def _is_to_let_go(self) -> bool:
        """We are to stop, and what is under way takes too long or cannot get through."""
        return self._stop.is_set() and (
            time.monotonic() > self._let_go_at or not self._courier.clear.is_set()
        )

    # Requests

    def _put_aside(self, held: _Held) -> None:
        taken = held.batch.put_aside(self._dead_letters)
        with self._counting:
            self.counts.dead_letters += len(taken)
        self._on_put_aside(taken)
        problem = self._dead_letters.problem if self._dead_letters is not None else None
        if problem is None:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = time.monotonic()
        self._note("put aside", problem)

    def _delete(self, claims: Sequence[Received]) -> list[Received]:
        """Those that are still to be deleted."""
        unchanged: Unchanged[Received] = Unchanged(list(claims), [], None)
        if claims:
            with self._asked("delete"):
                unchanged = self.queue.delete(claims)
        with self._counting:
            self.counts.deleted += len(claims) - len(unchanged.to_retry)
        return unchanged.to_retry

    def _keep_hidden(self, held: _Held) -> bool:
        """Hides a batch for longer when a third of its time is over; False where it is no longer ours."""
        now = time.monotonic()
        if now < held.extend_at:
            return True
        unchanged: Unchanged[Received] = Unchanged(held.left, [], None)
        with self._asked("extend"):
            unchanged = self.queue.hide(held.left, self._hidden_seconds)
        held.extend_at = now + self._hidden_seconds / (30 if unchanged.to_retry else 3)
        return not unchanged.lost

    def _give_back(self, claims: list[Received], hidden_seconds: int) -> None:
        """Shows them to others after that time: 0 is at once, in their order."""
        if claims:
            with self._asked("give back"):
                self.queue.hide(claims, hidden_seconds)
            with self._counting:
                self.counts.given_back += len(claims)

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """A request whose failure is noted, and waited out by who made it."""
        with self._counting:
            self.counts.requests += 1
        try:
            yield
        except AwsError as error:
            self._note(what, sentence(error))
        except DeadLetterQueueAway as error:
            self._note(what, str(error))
        else:
            self._note(what, None)

    def _note(self, what: str, problem: str | None) -> None:
        if problem is not None:
            self._problems[what] = problem
        else:
            self._problems.pop(what, None)
