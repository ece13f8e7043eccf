"""The shards that this process evaluates."""

import threading
from collections.abc import Callable, Collection, Mapping, Set
from typing import Protocol

import structlog
from sqlalchemy import Connection

from ingest.topics import SHARDS
from service.errors import NameTaken, ShardsLost, StoreAway
from service.ownership.sharing import Sharing
from service.store.database import Database
from service.store.leases import free, held, owned_still, release, take
from service.store.schema import shard
from service.store.shards import Version, confirmed_shards
from service.store.workers import live_workers

ALL_SHARDS = frozenset(range(SHARDS))
BALANCES = 4
"""In the time of a lease: so soon after it was free a shard is taken."""

log = structlog.get_logger("overfly")


class Shards(Protocol):
    """What the tracker asks before it evaluates. Only the thread that evaluates changes what is owned."""

    @property
    def owned(self) -> frozenset[int]:
        """Those that this process evaluates, as far as it knows."""

    @property
    def by_receipt(self) -> bool:
        """Whether to `claim` the shards of what was received."""

    @property
    def shared(self) -> bool:
        """Whether it can go on without some of them."""

    @property
    def balance_seconds(self) -> float | None:
        """How often to call `balance`; None where nobody else is at the database."""

    def confirm(
        self, connection: Connection, needed: Set[int] | None = None, *, alone: bool = False
    ) -> Mapping[int, Version]:
        """Which of them are still owned, until the transaction ends.

        needed: those without which the transaction cannot be; None: all. alone: after what else goes on
        under these leases, such as a commit of which the answer was lost. Raises ShardsLost.
        """

    def claim(self, shards: Set[int]) -> None:
        """Takes shards over from whoever has them. Raises StoreAway."""

    def balance(self) -> None:
        """Takes what this process should have and nobody has, gives back what others should have.

        Raises StoreAway, ShardsLost.
        """


class FixedShards:
    """Nobody is there to take or give any: the data folder's lock sees to it, or nothing is tracked here."""

    by_receipt = shared = False
    balance_seconds = None

    def __init__(self, owned: frozenset[int] = ALL_SHARDS) -> None:
        self.owned = owned

    def confirm(
        self, connection: Connection, needed: Set[int] | None = None, *, alone: bool = False
    ) -> Mapping[int, Version]:
        """Nothing to ask."""
        return dict.fromkeys(self.owned, Version(0, 0))

    def claim(self, shards: Set[int]) -> None:
        """Nobody to take them from."""

    def balance(self) -> None:
        """Nobody to share with."""


class OwnedShards:
    """Shards of a database that several workers may use; `epochs`: shard -> epoch at which it was taken."""

    def __init__(
        self,
        database: Database,
        worker: str,
        stay: Callable[[Connection], bool],
        lease: int,
        sharing: Sharing,
    ) -> None:
        """stay: whether the name is this process's, until the transaction ends. lease: milliseconds."""
        self._database = database
        self._worker = worker
        self._stay = stay
        self._lease = lease
        self.sharing = sharing
        self._lock = threading.Lock()
        self._epochs: dict[int, int] = {}

    @property
    def owned(self) -> frozenset[int]:
        with self._lock:
            return frozenset(self._epochs)

    @property
    def epochs(self) -> dict[int, int]:
        """A copy, for any thread."""
        with self._lock:
            return dict(self._epochs)

    @property
    def by_receipt(self) -> bool:
        """See Shards."""
        return self.sharing is Sharing.RECEIVED

    @property
    def shared(self) -> bool:
        """See Shards."""
        return self.sharing is not Sharing.WHOLE

    @property
    def balance_seconds(self) -> float:
        """See Shards."""
        return self._lease / 1000 / BALANCES

    def start(self) -> None:
        """Takes what is this worker's by name, and its share of what is free.

        Where one worker evaluates all, it takes all. Raises StoreAway that names who has others.
        """
        self.balance()
        if self.sharing is Sharing.WHOLE and self.owned != ALL_SHARDS:
            with self._database.read() as connection:
                others = [each for each in held(connection, shard) if each.owner != self._worker]
            self.give_back(self.owned)
            first = others[0] if others else None
            raise StoreAway(
                "the shards were just taken by another worker: start again"
                if first is None
                else f"worker {first.owner!r} owns {len(others)} of {SHARDS} shards, and only one worker can "
                f"read these topics: stop it, or wait {first.left / 1000:.0f} s after its end; a restarted "
                "worker with the same OVERFLY_WORKER_ID takes over at once; several workers share the topic "
                "overfly/positions/+"
            )

    def confirm(
        self, connection: Connection, needed: Set[int] | None = None, *, alone: bool = False
    ) -> Mapping[int, Version]:
        """See Shards."""
        epochs = self.epochs
        kept = confirmed_shards(connection, epochs, alone=alone)
        lost = epochs.keys() - kept.keys()
        if lost:
            self._lose(lost, bool(lost & (epochs.keys() if needed is None else needed)))
        return kept

    def claim(self, shards: Set[int]) -> None:
        """See Shards."""
        believed = {each: epoch for each, epoch in self.epochs.items() if each in shards}
        with self._database.read() as connection:
            missing = shards - owned_still(connection, shard, believed)
        if missing:
            self._take(missing, forced=True)

    def balance(self) -> None:
        """See Shards."""
        epochs = self.epochs
        with self._database.read() as connection:
            workers = live_workers(connection)
            found = free(connection, shard, self._worker)
            lost = epochs.keys() - owned_still(connection, shard, epochs)
        if lost:
            self._lose(lost, needed=False)
        share = SHARDS
        if self.sharing is not Sharing.WHOLE:
            share = fair_share({each.name for each in workers} | {self._worker}, self._worker)
        again = sorted(set(found.own) - self.owned)  # of an earlier process of this name
        lacking = max(0, share - len(self.owned) - len(again))
        wanted = [*again, *found.nobodys[:lacking]]
        excess = len(self.owned) - share
        if excess > 0 and self.sharing is Sharing.LEASED:
            self.give_back(sorted(self.owned)[-excess:])
            log.info("shards.given_back", worker=self._worker, shards=excess, kept=share)
        elif wanted:
            taken = self._take(wanted, forced=False)
            log.info("shards.taken", worker=self._worker, shards=taken, owned=len(self.owned))

    def give_back(self, shards: Collection[int]) -> None:
        """Nothing of them is in hand any more; whoever wants them need not wait. Raises StoreAway."""
        owned = {each: epoch for each, epoch in self.epochs.items() if each in shards}
        with self._database.write() as connection:
            release(connection, shard, owned)
        self._remove(owned)

    def _take(self, shards: Collection[int], *, forced: bool) -> int:
        """Answers how many it got."""
        with self._database.write() as connection:
            if not self._stay(connection):
                raise NameTaken(name_taken(self._worker))
            taken = take(connection, shard, shards, self._worker, self._lease, forced=forced)
        with self._lock:
            self._epochs.update(taken)
        return len(taken)

    def _lose(self, lost: Set[int], needed: bool) -> None:
        problem = (
            f"{len(lost)} of {len(self.owned)} shards were taken over from worker {self._worker!r} "
            "while it did not go on: it writes nothing more of them"
        )
        if self.sharing is not Sharing.WHOLE:
            self._remove(lost)
        if self.sharing is Sharing.LEASED:
            log.warning("shards.lost", worker=self._worker, problem=problem)
        if self.sharing is Sharing.WHOLE or needed:
            raise ShardsLost(problem)

    def _remove(self, shards: Collection[int]) -> None:
        with self._lock:
            for each in shards:
                self._epochs.pop(each, None)


def fair_share(workers: Set[str], worker: str) -> int:
    """How many shards one of several workers should have: as many as the next, or one more."""
    each, over = divmod(SHARDS, len(workers))
    return each + (sorted(workers).index(worker) < over)


def name_taken(worker: str) -> str:
    """What a worker says whose name another process has."""
    return (
        f"another process runs as worker {worker!r} and has taken over from this one, which ends. Several "
        "workers need a name each: set OVERFLY_WORKER_ID"
    )
