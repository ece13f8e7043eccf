"""History in partitions, a day (UTC) each, so that a day is searched and dropped alone.

A partition is made before the first row of its day, for days from the oldest that is kept to tomorrow. All
other days, of devices whose clock is wrong or of flights of years ago, share one: times that somebody invents
make no tables. A day that came there first stays there. SQLite has one table.
https://www.postgresql.org/docs/15/ddl-partitioning.html
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, exists, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from service.errors import StoreAway
from service.intake import DAY
from service.store.database import Database
from service.store.schema import position
from service.store.turns import Turn, wait_for_turn

KEPT_DAYS = 400
"""Where nothing is dropped: older days share a partition."""
AHEAD_DAYS = 2
BRIEFLY = text("SET LOCAL lock_timeout = '500ms'")
"""Whoever waits for a lock of a whole table stops all who come after, and a backup may hold it for hours."""
PAUSE = 10_000  # milliseconds until it is tried again

log = structlog.get_logger("overfly")


class DaysOfHistory:
    """The days that need no more looking after. Called from one thread at a time."""

    def __init__(self, database: Database, kept_days: float | None) -> None:
        self._database = database
        self._kept = KEPT_DAYS if kept_days is None else kept_days
        self._seen: set[int] = set()
        self._again_at = 0

    def prepare(self, sample_time: NDArray[np.int64], now: int) -> None:
        """Makes the partitions that rows of these times (ms) want, and tomorrow's. Never raises StoreAway:
        without its own a row finds the one of other days."""
        wanted = {now // DAY + ahead for ahead in range(AHEAD_DAYS)}.union(_days(sample_time))
        missing = {day for day in wanted - self._seen if _has_its_own(day, self._kept, now)}
        self._seen |= wanted - missing
        if not missing or now < self._again_at:
            return
        try:
            with self._database.write() as connection:
                connection.execute(BRIEFLY)
                _make(connection, missing)
        except (StoreAway, IntegrityError, ProgrammingError) as error:
            log.warning("history.no_partition", days=len(missing), error=str(error))
            self._again_at = now + PAUSE
        else:
            self._seen |= missing


def make_days(
    connection: Connection, sample_time: NDArray[np.int64], kept_days: float | None, now: int
) -> None:
    """Makes the partitions that rows of these times (ms) want, as part of a transaction."""
    kept = KEPT_DAYS if kept_days is None else kept_days
    wanted = {day for day in _days(sample_time) if _has_its_own(day, kept, now)}
    if wanted - partitions(connection).keys():
        _make(connection, wanted)


def _days(sample_time: NDArray[np.int64]) -> set[int]:
    return set(np.unique(sample_time // DAY).tolist())


def _has_its_own(day: int, kept_days: float, now: int) -> bool:
    return now // DAY - kept_days <= day <= now // DAY + AHEAD_DAYS


def _make(connection: Connection, days: Iterable[int]) -> None:
    wait_for_turn(connection, Turn.MIGRATION)
    there = partitions(connection)
    for day in sorted(set(days) - there.keys()):
        came_before = (position.c.sample_time >= day * DAY) & (position.c.sample_time < (day + 1) * DAY)
        if connection.scalar(select(exists(select(position.c.device_key).where(came_before)))):
            continue
        name, start, end = _name(day), day * DAY, (day + 1) * DAY
        connection.execute(text(f"CREATE TABLE {name} (LIKE position INCLUDING ALL)"))
        # unlike PARTITION OF, this locks only the partition of other days, which is read through
        attach = f"ALTER TABLE position ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
        connection.execute(text(attach))


def partitions(connection: Connection) -> dict[int, str]:
    """Days that have a partition of their own: day since 1970 -> name."""
    statement = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'position'::regclass"
    names = connection.scalars(text(statement)).all()
    return {_day(name): name for name in names if name != OTHERS}


OTHERS = "position_of_other_days"


def _name(day: int) -> str:
    return f"position_{EPOCH + timedelta(days=day):%Y%m%d}"


def _day(name: str) -> int:
    return (datetime.strptime(name, "position_%Y%m%d").replace(tzinfo=UTC) - EPOCH).days


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def drop_days_before(connection: Connection, sample_time: int) -> list[str]:
    """Drops partitions of which all is measured before and nothing waits for its turn; answers which."""
    dropped = []
    for day, name in sorted(partitions(connection).items()):
        if (day + 1) * DAY > sample_time:
            break
        waiting = text(f"SELECT EXISTS (SELECT FROM {name} WHERE revision IS NULL AND NOT late)")  # noqa: S608
        if connection.scalar(waiting):
            continue
        connection.execute(BRIEFLY)
        connection.execute(text("LOCK TABLE ONLY position IN ACCESS EXCLUSIVE MODE"))  # as DETACH does
        if not connection.scalar(waiting):  # nor what came until now
            connection.execute(text(f"ALTER TABLE position DETACH PARTITION {name}"))
            connection.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    return dropped
