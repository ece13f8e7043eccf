"""Lines on their way to the queue, each shard in its order.

In a lane lines gather until they are taken as an entry, so that entries grow while the queue is slow. A
refused entry goes before all that came after it, and on a FIFO queue a lane has one under way at most.
"""

from collections import deque
from typing import Final

from ingest.aws.limits import BODY_BYTES, REQUEST_BYTES, REQUEST_ENTRIES
from ingest.aws.queue_sender import Entry
from ingest.topics import SHARDS

NEVER: Final = float("inf")


class ShardLanes:
    """The lanes of all shards. Times are seconds of the monotonic clock.

    `linger` is how long the oldest line of a lane waits for more. `in_order`: one entry of a lane under way.
    """

    def __init__(self, linger: float, *, in_order: bool) -> None:
        self._linger, self._in_order = linger, in_order
        self._lanes = [_Lane(shard) for shard in range(SHARDS)]
        self._hurried_at = -NEVER

    @property
    def gathering(self) -> bool:
        """Whether lines wait for more to come."""
        return any(lane.lines and lane.since > self._hurried_at for lane in self._lanes)

    def add(self, shard: int, lines: list[bytes], batch: int, now: float) -> int:
        """Lines of one shard, in order, all of one batch; answers their bytes."""
        return self._lanes[shard].add(lines, batch, now)

    def hurry(self, now: float) -> None:
        """What is here now waits for nothing more."""
        self._hurried_at = now

    def due_at(self) -> float:
        """When there will be something to send; NEVER when nothing waits, or only for an outcome."""
        return min(map(self._due_at, self._lanes))

    def take(self, now: float) -> list[Entry]:
        """The entries of the next request: those that are due, and with them what else has room in it."""
        taken: list[Entry] = []
        if self.due_at() > now:
            return taken
        room = REQUEST_BYTES
        for lane in self._oldest_first(now):
            entry = lane.take(room)
            if entry is not None:
                taken.append(entry)
                room -= entry.size
                if len(taken) == REQUEST_ENTRIES:
                    break
        return taken

    def settled(self, entry: Entry) -> None:
        """The queue has it."""
        self._lanes[entry.shard].under_way -= 1

    def returned(self, entry: Entry, again: list[Entry], retry_at: float) -> None:
        """It was refused: `again`, itself or its parts, is to be sent, not before `retry_at`."""
        lane = self._lanes[entry.shard]
        lane.under_way -= 1
        for each in again:
            each.retry_at = retry_at
        lane.closed.extendleft(reversed(again))

    def _due_at(self, lane: "_Lane") -> float:
        if self._in_order and lane.under_way:
            return NEVER
        if lane.closed:
            return lane.closed[0].retry_at
        if not lane.lines:
            return NEVER
        return lane.since if lane.since <= self._hurried_at else lane.since + self._linger

    def _oldest_first(self, now: float) -> list["_Lane"]:
        """Those that may send now, due or not."""
        may = [lane for lane in self._lanes if lane.sendable(now) and not (self._in_order and lane.under_way)]
        return sorted(may, key=_Lane.oldest)


class _Lane:
    """Of one shard: entries that are closed or came back, and lines that gather behind them."""

    def __init__(self, shard: int) -> None:
        self.closed: deque[Entry] = deque()
        self.under_way = 0
        self.lines: list[bytes] = []
        self.since = NEVER
        self._shard = shard
        self._size = -1  # of the lines with a break between each two
        self._shares: list[tuple[int, int]] = []

    def oldest(self) -> float:
        return self.closed[0].since if self.closed else self.since

    def sendable(self, now: float) -> bool:
        return self.closed[0].retry_at <= now if self.closed else bool(self.lines)

    def add(self, lines: list[bytes], batch: int, now: float) -> int:
        size = sum(map(len, lines)) + len(lines)
        if self._size + size <= BODY_BYTES:
            self._append(lines, size, batch, now)
            return size
        for line in lines:
            if self._size + len(line) + 1 > BODY_BYTES:
                self._close()
            self._append([line], len(line) + 1, batch, now)
        return size

    def take(self, room: int) -> Entry | None:
        """The oldest entry, unless it is larger than `room` bytes."""
        if not self.closed and self._size <= room:
            self._close()
        if not self.closed or self.closed[0].size > room:
            return None
        self.under_way += 1
        return self.closed.popleft()

    def _append(self, lines: list[bytes], size: int, batch: int, now: float) -> None:
        if not self.lines:
            self.since = now
        self.lines += lines
        self._size += size
        self._shares.append((batch, len(lines)))

    def _close(self) -> None:
        self.closed.append(Entry(self._shard, self.lines, self._size, self.since, self._shares))
        self.lines, self._size, self._shares = [], -1, []
