"""The reorder window of what waits in the database: the clock, and which fixes it counts for."""

import threading
from collections.abc import Callable

from sqlalchemy import Connection

from service.ownership.owned_shards import Shards
from service.reorder import ReorderClock
from service.store.database import Database
from service.store.positions import last_waiting_receipt


class ReorderWindow:
    """Counts for the fixes of the shards that are evaluated here. Any thread may call it.

    lock: who evaluates, or begins the window anew, holds it, so that what is received meanwhile counts when
    that has ended.
    """

    def __init__(
        self,
        database: Database,
        shards: Shards,
        clock: ReorderClock,
        monotonic: Callable[[], float],
        lock: threading.RLock,
    ) -> None:
        self._database = database
        self._shards = shards
        self._clock = clock
        self._monotonic = monotonic
        self._lock = lock
        self._counted = shards.owned  # the shards whose waiting fixes it has begun to count for
        self._last_noticed = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self._clock.window

    def run(self, running: bool) -> None:
        """Lets the clock run, or stand."""
        with self._lock:
            if running != self._clock.running:
                (self._clock.run if running else self._clock.stand)(self._monotonic())

    def received(self, receipt: int) -> None:
        """What was stored with this receipt waits from now on."""
        with self._lock:
            self._clock.received(self._monotonic(), receipt)

    def due(self) -> int | None:
        """The latest receipt whose window has passed; None: none has."""
        with self._lock:
            return self._clock.due(self._monotonic())

    def done(self, receipt: int) -> None:
        """All that was received up to then has been evaluated."""
        with self._lock:
            self._clock.done(receipt)

    def seconds_until_due(self) -> float | None:
        """None: nothing that is known waits, or the clock stands."""
        with self._lock:
            return self._clock.seconds_until_due(self._monotonic())

    def restart(self) -> None:
        """All that waits waits the whole window again. Raises StoreAway."""
        with self._lock, self._database.read() as connection:
            last = last_waiting_receipt(connection, self._shards.owned)
            self._clock.start_anew(self._monotonic(), last)

    def notice(self) -> None:
        """Fixes that others stored, and that are to be evaluated here, wait from now on. Raises StoreAway."""
        owned = self._shards.owned
        with self._lock, self._database.read() as connection:
            last = last_waiting_receipt(connection, owned)
            if not owned <= self._counted:
                self._clock.start_anew(self._monotonic(), last)
                self._counted = owned
            if last is not None and (last > self._last_noticed or not self._clock.waiting):
                self._last_noticed = last
                self._clock.received(self._monotonic(), last)

    def follow(self, connection: Connection, shards: frozenset[int]) -> None:
        """Just these shards are evaluated here: where some have come, all waits the whole window again."""
        with self._lock:
            if not shards <= self._counted:
                self._clock.start_anew(self._monotonic(), last_waiting_receipt(connection, shards))
            self._counted = shards
