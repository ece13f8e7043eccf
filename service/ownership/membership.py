"""This process as one of the workers of a database: its name, its heartbeat, what it owns."""

import threading
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from service.errors import NameTaken, ShardsLost, StoreAway
from service.ownership.duties import Duties
from service.ownership.owned_shards import OwnedShards, name_taken
from service.ownership.sharing import Sharing
from service.store.database import Database
from service.store.leases import extend
from service.store.schema import shard
from service.store.workers import enter, leave, live_workers, stay

EXTENSIONS = 3
"""In the time of a lease: one may fail, and another."""

log = structlog.get_logger("overfly")


class Membership:
    """A worker among others. `shards` are what it evaluates, None where it evaluates nothing."""

    def __init__(
        self,
        database: Database,
        name: str,
        lease_seconds: float,
        duties: Sequence[str],
        sharing: Sharing | None = None,
        reads: str | None = None,
    ) -> None:
        """Enters, and takes what it can. reads: what its source is, for others to compare; None where it has
        no shards, like `sharing`.

        Raises StoreAway where another worker has what this one needs, or reads something else.
        """
        self._database = database
        self._name = name
        self._lease = round(lease_seconds * 1000)
        self._incarnation = uuid.uuid4().hex
        self._reads = reads
        self._stop = threading.Event()
        self.shards: OwnedShards | None = None
        self._enter()
        if sharing is not None:
            self.shards = OwnedShards(database, name, self._stays, self._lease, sharing)
        self.duties = Duties(database, name, self._lease, duties)
        if self.shards is not None:
            try:
                self.shards.start()
            except StoreAway:
                with database.write() as connection:
                    leave(connection, name, self._incarnation)
                raise
        self.duties.take_free()
        log.info("worker.entered", worker=name, shards=self._owned(), duties=sorted(self.duties.epochs))

    def run(self) -> None:
        """Extends leases until `stop`, and for what is still in hand then. Raises ShardsLost where another
        process has the name, or has taken over where one evaluates all."""
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._lease / 1000 / EXTENSIONS)
            try:
                self._beat()
                if not stopped:
                    self.duties.take_free()
            except StoreAway as error:
                log.warning("lease.store_away", error=str(error))

    def stop(self) -> None:
        """From any thread."""
        self._stop.set()

    def give_back(self) -> None:
        """When nothing is done here any more: others go on at once. Raises StoreAway."""
        self.duties.give_back()
        if self.shards is not None:
            self.shards.give_back(self.shards.owned)
        with self._database.write() as connection:
            leave(connection, self._name, self._incarnation)

    def _enter(self) -> None:
        reads = self._reads
        with self._database.write() as connection:
            for each in live_workers(connection) if reads is not None else ():
                if each.name != self._name and each.reads != reads:
                    raise StoreAway(
                        f"worker {each.name!r} at this database reads {each.reads}, and this one would read "
                        f"{reads}: workers that share a database read the same; `overfly serve --api-only` "
                        "reads nothing, and `overfly dispatch` only delivers; one that ended is "
                        f"forgotten after {self._lease / 1000:.0f} s"
                    )
            enter(connection, self._name, self._incarnation, reads, self._lease)

    def _beat(self) -> None:
        with self._database.write() as connection:
            self.duties.keep(connection)
            if not self._stays(connection):
                raise NameTaken(name_taken(self._name))
            if self.shards is None:
                return
            epochs = self.shards.epochs
            kept = extend(connection, shard, epochs, self._lease) if epochs else set()
        # whose others are, the thread that evaluates finds out by itself, and stops what it does with them
        if self.shards.sharing is Sharing.WHOLE and len(kept) < len(epochs):
            raise ShardsLost(
                f"{len(epochs) - len(kept)} of {len(epochs)} shards were taken over from worker "
                f"{self._name!r} while it did not go on: it writes nothing more"
            )

    def _stays(self, connection: Connection) -> bool:
        return stay(connection, self._name, self._incarnation, self._reads, self._lease)

    def _owned(self) -> int:
        return 0 if self.shards is None else len(self.shards.owned)
