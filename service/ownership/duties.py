"""Duties: what one process does for all that share a database, such as delivering a channel's alerts."""

import threading
from collections.abc import Sequence
from typing import Protocol

import structlog
from sqlalchemy import Connection

from service.errors import DutyLost
from service.store.database import Database
from service.store.duties import add_duties
from service.store.leases import confirmed, extend, free, release, take
from service.store.schema import duty

log = structlog.get_logger("overfly")


class Duty(Protocol):
    """Asked by whoever does it, before he does."""

    @property
    def held(self) -> bool:
        """Whether it is this process's, as far as it knows; else it stands by."""

    def confirm(self, connection: Connection) -> None:
        """Raises DutyLost where somebody else has taken over; otherwise nobody does until the commit."""

    def check(self) -> None:
        """The same, of this moment. Raises StoreAway, too."""


class OwnDuty:
    """There is nobody else."""

    held = True

    def confirm(self, connection: Connection) -> None:
        """Nothing to ask."""

    def check(self) -> None:
        """Nothing to ask."""


class Duties:
    """Those that this process does or stands by for; taken and kept by its heartbeat."""

    def __init__(self, database: Database, worker: str, lease: int, names: Sequence[str]) -> None:
        """lease: milliseconds. Raises StoreAway."""
        self._database = database
        self._worker = worker
        self._lease = lease
        self._names = list(names)
        self._lock = threading.Lock()
        self._epochs: dict[str, int] = {}
        if self._names:
            with database.write() as connection:
                add_duties(connection, self._names)

    @property
    def epochs(self) -> dict[str, int]:
        """Duty -> epoch at which it was taken; a copy, for any thread."""
        with self._lock:
            return dict(self._epochs)

    def of(self, name: str) -> "LeasedDuty":
        """One of `names`, for whoever does it."""
        return LeasedDuty(self, name)

    def keep(self, connection: Connection) -> None:
        """Makes leases longer. Part of a heartbeat."""
        owned = self.epochs
        lost = owned.keys() - extend(connection, duty, owned, self._lease) if owned else set()
        for name in lost:
            self.lose(name)

    def take_free(self) -> None:
        """Takes those that nobody has. Raises StoreAway."""
        with self._database.read() as connection:
            found = free(connection, duty, self._worker)
        wanted = [each for each in (*found.own, *found.nobodys) if self._lacks(each)]
        if wanted:
            with self._database.write() as connection:
                taken = take(connection, duty, wanted, self._worker, self._lease)
            with self._lock:
                self._epochs.update(taken)
            log.info("duties.taken", worker=self._worker, duties=sorted(taken))

    def give_back(self) -> None:
        """Nothing of them is in hand any more. Raises StoreAway."""
        owned = self.epochs
        if owned:
            with self._database.write() as connection:
                release(connection, duty, owned)

    def lose(self, name: str) -> str:
        """Somebody else has it; answers what to say of it."""
        with self._lock:
            known = self._epochs.pop(name, None)
        problem = f"{name!r} was taken over from worker {self._worker!r} while it did not go on"
        if known is not None:
            log.warning("duties.lost", worker=self._worker, problem=problem, next="stands by")
        return problem

    def confirm(self, connection: Connection, name: str) -> None:
        """See Duty."""
        epoch = self.epochs.get(name)
        if epoch is None or not confirmed(connection, duty, {name: epoch}):
            raise DutyLost(self.lose(name))

    def check(self, name: str) -> None:
        """See Duty."""
        with self._database.write() as connection:
            self.confirm(connection, name)

    def _lacks(self, name: str) -> bool:
        return name in self._names and name not in self.epochs


class LeasedDuty:
    """One of a process's duties."""

    def __init__(self, duties: Duties, name: str) -> None:
        self._duties = duties
        self._name = name

    @property
    def held(self) -> bool:
        """See Duty."""
        return self._name in self._duties.epochs

    def confirm(self, connection: Connection) -> None:
        """See Duty."""
        self._duties.confirm(connection, self._name)

    def check(self) -> None:
        """See Duty."""
        self._duties.check(self._name)
