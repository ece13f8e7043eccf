"""That this process and no other evaluates: it owns all shards, by a lease that it extends while it lives."""

import threading
from collections.abc import Mapping
from typing import Protocol

import structlog
from sqlalchemy import Connection

from ingest.topics import SHARDS
from service.errors import ShardsLost, StoreAway
from service.store.database import Database
from service.store.shards import confirmed, extend, held_by_others, release, take_over

EXTENSIONS = 3
"""In the time of a lease: one may fail, and another."""

log = structlog.get_logger("overfly")


class Ownership(Protocol):
    """What a transaction asks before it writes what only an owner may."""

    def confirm(self, connection: Connection) -> None:
        """Raises ShardsLost where somebody else has taken over; otherwise nobody does until the commit."""

    def check(self) -> None:
        """The same, of this moment. Raises StoreAway, too."""


class OwnFolder:
    """The data folder's lock sees to it that there is nobody else."""

    def confirm(self, connection: Connection) -> None:
        """Nothing to ask."""

    def check(self) -> None:
        """Nothing to ask."""


class Lease:
    """All shards of a database that several processes may use."""

    def __init__(self, database: Database, owner: str, seconds: float, owned: Mapping[int, int]) -> None:
        self._database = database
        self._owner = owner
        self._lease = round(seconds * 1000)
        self._owned = dict(owned)
        self._stop = threading.Event()

    @classmethod
    def taken(cls, database: Database, owner: str, seconds: float) -> "Lease":
        """Takes all shards, at once those that this owner had. Raises StoreAway that names who has others."""
        with database.write() as connection:
            owned = take_over(connection, owner, round(seconds * 1000))
            others = held_by_others(connection, owner)
            if others:
                first = others[0]
                raise StoreAway(
                    f"worker {first.owner!r} owns {len(others)} of {SHARDS} shards: stop it, or wait "
                    f"{first.left / 1000:.0f} s after its end; a restarted worker with the same "
                    "OVERFLY_WORKER_ID takes over at once"
                )
        log.info("lease.taken", owner=owner, shards=len(owned))
        return cls(database, owner, seconds, owned)

    def confirm(self, connection: Connection) -> None:
        """See Ownership."""
        self._refuse_lost(confirmed(connection, self._owned))

    def check(self) -> None:
        """See Ownership."""
        with self._database.write() as connection:
            self.confirm(connection)

    def run(self) -> None:
        """Extends the lease until `stop`, and for what is still in hand then. Raises ShardsLost where it was
        taken over."""
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._lease / 1000 / EXTENSIONS)
            try:
                with self._database.write() as connection:
                    kept = extend(connection, self._owned, self._lease)
            except StoreAway as error:
                log.warning("lease.store_away", error=str(error))
            else:
                self._refuse_lost(kept)

    def stop(self) -> None:
        """From any thread."""
        self._stop.set()

    def give_back(self) -> None:
        """When nothing is evaluated here any more. Raises StoreAway."""
        with self._database.write() as connection:
            release(connection, self._owned)

    def _refuse_lost(self, kept: set[int]) -> None:
        lost = len(self._owned.keys() - kept)
        if lost:
            raise ShardsLost(
                f"{lost} of {len(self._owned)} shards were taken over from worker {self._owner!r} "
                "while it did not go on: it writes nothing more"
            )
