"""Fair shares: how many requests are at work at once, in all and of one caller; each has a queue of its own.

A place that is free goes to the callers that wait, one after the other, however many requests each has
sent: nobody waits behind all requests of another.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from service.access.refusals import TooBusy, TooFast


@dataclass(frozen=True, slots=True)
class Shares:
    """in_all, of_one: requests at work at once. waiting_of_one, waiting_in_all: those that wait at most.

    Routes work in threads, of which there are 40 by default: as many are at work, and half of them for one.
    """

    in_all: int = 40
    of_one: int = 20
    waiting_of_one: int = 256
    waiting_in_all: int = 4096


TOGETHER: Final = Shares(in_all=1024, of_one=512)
"""Of requests that wait for one commit together, in no thread: the more there are, the less each costs."""


class FairShare:
    """Of one event loop."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._working: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._at_work = 0
        self._in_queues = 0

    @asynccontextmanager
    async def place(self, of: str) -> AsyncIterator[None]:
        """A place for a request of this caller, to its end. Raises TooFast, TooBusy where it cannot wait."""
        if self._free(of) and of not in self._waiting:
            self._take(of)
        else:
            await self._wait(of)
        try:
            yield
        finally:
            self._give_back(of)

    async def _wait(self, of: str) -> None:
        queue = self._waiting.get(of, ())
        if len(queue) >= self._shares.waiting_of_one:
            raise TooFast(f"{len(queue)} requests of yours wait already: wait for some of them", 1.0)
        if self._in_queues >= self._shares.waiting_in_all:
            raise TooBusy("too many requests wait: the same again, a little later")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(of, deque()).append(turn)
        self._in_queues += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(of)
            elif of in self._waiting and turn in self._waiting[of]:
                self._waiting[of].remove(turn)
                self._left(of)
            raise

    def _free(self, of: str) -> bool:
        return self._at_work < self._shares.in_all and self._working[of] < self._shares.of_one

    def _take(self, of: str) -> None:
        self._at_work += 1
        self._working[of] += 1

    def _give_back(self, of: str) -> None:
        self._at_work -= 1
        self._working[of] -= 1
        if not self._working[of]:
            del self._working[of]
        while (next_of := next((each for each in self._waiting if self._free(each)), None)) is not None:
            turn = self._waiting[next_of].popleft()
            self._waiting.move_to_end(next_of)
            self._left(next_of)
            if not turn.done():
                self._take(next_of)
                turn.set_result(None)

    def _left(self, of: str) -> None:
        self._in_queues -= 1
        if not self._waiting[of]:
            del self._waiting[of]
