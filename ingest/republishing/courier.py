"""Publishes what is handed in, each shard in its order, until it is delivered.

Of a shard no more than one publication is under way: if that fails, none after it has overtaken it. What
fails for now is tried again in its place, with growing pauses, and holds up its own shard only.

Nobody subscribes, or we may not publish: then the shard's own topic is asked with an empty array, which
holds nothing, until it is taken. A payload as it came has another topic than the arrays. Where the shard's
topic is taken and that one is not, waiting would not help, and bad messages of one device would hold up all
others of its shard: it goes to the dead-letter queue.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.backoff import Backoff
from ingest.republishing.bodies import Undeliverable
from ingest.republishing.destination import Answer, Destination, Outcome
from ingest.republishing.shard_arrays import Publication
from ingest.topics import ARRAY_TOPICS

LONGEST_PAUSE: Final = 5.0
"""Seconds between two tries."""
QUESTION: Final = b"[]"


class Consignment:
    """Publications handed in together, made of `sources` bodies.

    `done` is set when all are settled: delivered, or among `undeliverable` with their sources. A withdrawn
    one is not published any further.
    """

    def __init__(self, publications: Sequence[Publication], sources: int) -> None:
        self.publications = publications
        self.undeliverable: list[tuple[tuple[int, ...], Undeliverable]] = []
        self.withdrawn = False
        self.done = threading.Event()
        self._left = [0] * sources
        self._all_left = 0
        for publication in publications:
            self._expect(publication)
        if not publications:
            self.done.set()

    def settled(self, source: int) -> bool:
        """Whether nothing made of this body is still to be published."""
        return self._left[source] == 0

    def part(self, whole: Publication, *parts: Publication) -> None:
        """Some publications take the place of one."""
        for each in parts:
            self._expect(each)
        self.settle(whole)

    def settle(self, publication: Publication) -> None:
        self._all_left -= 1
        for source in publication.sources:
            self._left[source] -= 1
        if self._all_left == 0:
            self.done.set()

    def _expect(self, publication: Publication) -> None:
        self._all_left += 1
        for source in publication.sources:
            self._left[source] += 1


@dataclass(slots=True)
class Published:
    """Counts of what was delivered, and how often a try failed."""

    publications: int = 0
    positions: int = 0
    as_they_came: int = 0
    bytes: int = 0
    tries_failed: int = 0


@dataclass(slots=True)
class _Lane:
    """The publications of one shard; the first is under way, due, or rests until `due_at`."""

    shard: int
    backoff: Backoff
    waiting: deque[tuple[Consignment, Publication]] = field(default_factory=deque)
    moving: bool = False
    due_at: float = 0.0
    asking: bool = False
    heard: bool = False

    @property
    def troubled(self) -> bool:
        return self.asking or self.backoff.failures > 0

    def begin_anew(self) -> None:
        """What is first now has not been tried yet."""
        self.asking = self.heard = False
        self.backoff.reset()


def usual_pauses() -> Backoff:
    """Between tries of one shard."""
    return Backoff(longest=LONGEST_PAUSE)


class Courier:
    """One thread calls `turn`; any thread may hand in.

    `clear` is set while the destination is there and takes what it is given: who receives should wait for it.
    """

    def __init__(self, destination: Destination, pauses: Callable[[], Backoff] = usual_pauses) -> None:
        self.destination, self._pauses = destination, pauses
        self.published = Published()
        self.clear = threading.Event()
        self._handed_in: deque[Consignment] = deque()
        self._lanes: dict[int, _Lane] = {}
        self._due: deque[_Lane] = deque()
        self._resting: list[_Lane] = []
        self._under_way: dict[int, _Lane] = {}
        self._keys = 0
        self._trouble: str | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing, or not all, gets through now; None when all does."""
        return self.destination.problem or self._trouble

    def hand_in(self, consignment: Consignment) -> None:
        """From any thread."""
        self._handed_in.append(consignment)
        self.destination.wake()

    def turn(self, wait: float) -> None:
        """Publishes what is due, and waits up to `wait` seconds for what becomes of it."""
        while self._handed_in:
            self._take_in(self._handed_in.popleft())
        now = time.monotonic()
        for lane in [each for each in self._resting if each.due_at <= now]:
            self._resting.remove(lane)
            self._due.append(lane)
        while self._due and self.destination.has_room:
            self._send(self._due.popleft())
        next_due = min((lane.due_at - now for lane in self._resting), default=wait)
        for answer in self.destination.turn(max(0.0, min(wait, next_due))):
            self._take_answer(answer)
        self._tell()

    def _take_in(self, consignment: Consignment) -> None:
        for publication in consignment.publications:
            lane = self._lanes.get(publication.shard)
            if lane is None:
                lane = self._lanes[publication.shard] = _Lane(publication.shard, self._pauses())
            lane.waiting.append((consignment, publication))
            if not lane.moving:
                lane.moving = True
                self._due.append(lane)

    def _send(self, lane: _Lane) -> None:
        while lane.waiting and lane.waiting[0][0].withdrawn:
            lane.waiting.popleft()
            lane.begin_anew()
        if not lane.waiting:
            lane.moving = False
            return
        publication = lane.waiting[0][1]
        most = self.destination.most_bytes(publication.topic)
        if len(publication.payload) > most:
            sentence = f"{len(publication.payload):,} bytes: the destination takes up to {most:,}"
            self._refuse(lane, "too_large", sentence)
            return
        self._keys += 1
        self._under_way[self._keys] = lane
        if lane.asking:
            self.destination.publish(self._keys, ARRAY_TOPICS[lane.shard], QUESTION)
        else:
            self.destination.publish(self._keys, publication.topic, publication.payload)

    def _take_answer(self, answer: Answer) -> None:
        lane = self._under_way.pop(answer.key, None)
        if lane is None:
            return
        if answer.outcome is Outcome.DELIVERED:
            self._delivered(lane)
            return
        self.published.tries_failed += 1
        silent = answer.outcome in (Outcome.UNHEARD, Outcome.DENIED)
        if lane.asking or answer.outcome is Outcome.BUSY:
            self._rest(lane, answer)
        elif silent and lane.heard and not lane.waiting[0][1].positions:
            self._refuse(lane, "unheard" if answer.outcome is Outcome.UNHEARD else "refused", answer.detail)
        elif silent:
            lane.asking, lane.heard = True, False
            self._rest(lane, answer)
        else:
            reason = "too_large" if answer.outcome is Outcome.TOO_LARGE else "refused"
            self._refuse(lane, reason, answer.detail)

    def _delivered(self, lane: _Lane) -> None:
        if lane.asking:
            lane.begin_anew()
            lane.heard = True
            self._due.appendleft(lane)
            return
        consignment, publication = lane.waiting.popleft()
        self.published.publications += 1
        self.published.positions += publication.positions
        self.published.as_they_came += not publication.positions
        self.published.bytes += len(publication.payload)
        consignment.settle(publication)
        self._go_on(lane)

    def _refuse(self, lane: _Lane, reason: str, detail: str) -> None:
        """It is parted until the culprit stands alone, which is undeliverable."""
        consignment, publication = lane.waiting.popleft()
        halves = publication.halves()
        if halves is not None:
            lane.waiting.extendleft((consignment, half) for half in reversed(halves))
            consignment.part(publication, *halves)
        else:
            consignment.undeliverable.append((publication.sources, publication.undeliverable(reason, detail)))
            consignment.settle(publication)
        self._go_on(lane)

    def _go_on(self, lane: _Lane) -> None:
        lane.begin_anew()
        if lane.waiting:
            self._due.append(lane)
        else:
            lane.moving = False

    def _rest(self, lane: _Lane, answer: Answer) -> None:
        lane.due_at = time.monotonic() + lane.backoff.delay()
        self._resting.append(lane)
        self._trouble = answer.detail

    def _tell(self) -> None:
        if not any(lane.troubled for lane in self._lanes.values()):
            self._trouble = None
        if self.destination.ready and self._trouble is None:
            self.clear.set()
        else:
            self.clear.clear()
