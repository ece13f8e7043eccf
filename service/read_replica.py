"""A read replica of PostgreSQL: which reads it may answer, and how far it is behind.

What it shows was so at the primary `max_lag` seconds ago, or later. So the primary is asked again and again
for its place in the write-ahead log, and the replica for how far it has replayed: it has all that was
committed before the newest place that it has passed was asked for. That needs no clock but our own, and
claims no lag where nothing is written. A replica replays commits in their order, so it shows what the primary
showed some time ago, and a cursor of the primary's is at worst a place after which it has nothing yet.
https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text

from service.errors import ReplicaBehind, StoreAway
from service.readiness import Dependency
from service.store.database import Database

LOOK_SECONDS = 1.0
PLACES_KEPT = 1_000

AT_PRIMARY = text(
    "SELECT system_identifier, "
    "(SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database, "
    "(pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS place FROM pg_control_system()"
)
AT_REPLICA = text(
    "SELECT system_identifier, "
    "(SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database, "
    "pg_is_in_recovery() AS replays, "
    "coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)::bigint AS place, "
    "EXISTS (SELECT FROM pg_stat_wal_receiver) AS streams, "
    "extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float AS since_commit, "
    "(SELECT count(*) FROM tracker) AS readable FROM pg_control_system()"
)

log = structlog.get_logger("overfly")


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen last: what is wrong, or how it does."""

    fault: str | None
    detail: str = ""
    lag: float | None = None


class ReadReplica:
    """Looks in a thread of the caller's: `run`. `monotonic` gives seconds."""

    def __init__(
        self,
        primary: Database,
        replica: Database,
        max_lag: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._replica = replica
        self._max_lag = max_lag
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._identity: tuple[int, int] | None = None  # the primary's: of its cluster and its database
        self._places: list[tuple[float, int]] = []  # the primary's, not passed yet, with when it was asked
        self._place = 0  # the replica's
        self._measured = False
        self._had_all_at: float | None = None
        self._wrote_at: float | None = None
        self._look = Look("was not asked yet")
        self._read_last: bool | None = None  # what was logged last

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """As `Database.read`. Raises ReplicaBehind where it is not to be read now, StoreAway."""
        fault = self._fault()
        if fault is not None:
            raise ReplicaBehind(f"read replica: {fault}")
        with self._replica.read() as connection:
            yield connection

    def wrote(self) -> None:
        """Says that something was committed which is to be seen from now on."""
        self._wrote_at = self._monotonic()

    @property
    def lacks_our_writes(self) -> bool:
        """Whether it may be read, but does not have all yet that was told by `wrote`."""
        had, wrote = self._had_all_at, self._wrote_at
        return wrote is not None and had is not None and had <= wrote and self._fault() is None

    def dependency(self) -> Dependency:
        """How it is, for /v1/ready."""
        fault, look = self._fault(), self._look
        return Dependency(fault is None, True, look.detail if fault is None else fault, look.lag)

    def run(self) -> None:
        """Looks until `stop`."""
        while not self._stop.is_set():
            self.look()
            self._stop.wait(LOOK_SECONDS)

    def stop(self) -> None:
        """From any thread."""
        self._stop.set()

    def close(self) -> None:
        self._replica.close()

    def look(self) -> None:
        """Finds out how it is now. Called from one thread at a time."""
        self._look = self._looked()
        fault = self._fault()
        if self._read_last is not (fault is None):
            self._read_last = fault is None
            if fault is None:
                log.info("replica.read", state=self._look.detail)
            else:
                log.warning("replica.not_read", problem=fault)

    def _looked(self) -> Look:
        began, unknown = self._monotonic(), ""
        try:
            with self._primary.read() as connection:
                at_primary = connection.execute(AT_PRIMARY).one()
        except StoreAway as error:
            unknown = f"; the primary cannot be asked: {error}"
        else:
            self._identity = (at_primary.system_identifier, at_primary.database)
            self._keep(began, at_primary.place)
        try:
            with self._replica.read() as connection:
                found = connection.execute(AT_REPLICA).one()
        except StoreAway as error:
            return Look(str(error))
        if not found.replays:
            return Look("it replays nothing: no streaming replica, or one that was made a primary")
        if self._identity is not None and self._identity != (found.system_identifier, found.database):
            return Look("it is of another server or database than OVERFLY_DATABASE_URL")
        self._passed(found.place, found.since_commit)
        if self._had_all_at is None:
            return Look(f"it is not known how far it is behind{unknown}")
        lag = max(0.0, began - self._had_all_at)
        streams = "streams" if found.streams else "does not stream"
        last = "" if found.since_commit is None else f"; its last commit is {found.since_commit:.1f} s old"
        return Look(None, f"{lag:.1f} s behind, {streams}{last}{unknown}", round(lag, 3))

    def _keep(self, asked: float, place: int) -> None:
        self._places.append((asked, place))
        if len(self._places) > PLACES_KEPT:
            del self._places[1::2]

    def _passed(self, place: int, since_commit: float | None) -> None:
        """place: where it is now. since_commit: seconds since the last commit that it has, by the servers'
        clocks, which serves until a place of the primary's is passed."""
        if place < self._place:  # restarted, or another one at its address
            self._measured, self._had_all_at = False, None
        self._place = place
        passed = [asked for asked, at in self._places if at <= place]
        self._places = [each for each in self._places if each[1] > place]
        if passed:
            self._measured, self._had_all_at = True, max(passed)
        elif not self._measured and since_commit is not None:
            self._had_all_at = self._monotonic() - max(0.0, since_commit)

    def _fault(self) -> str | None:
        """Why it is not to be read now."""
        look, had = self._look, self._had_all_at
        if look.fault is not None or had is None:
            return look.fault or "it is not known how far it is behind"
        behind = self._monotonic() - had
        if behind <= self._max_lag:
            return None
        most = f"more than OVERFLY_DATABASE_READ_MAX_LAG ({self._max_lag:g} s)"
        return f"{behind:.1f} s behind, {most}; seen last: {look.detail}"
