"""The history of one device."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.store.schema import position


class PositionRow(NamedTuple):
    """One stored fix; `properties` is JSON text, '' where there are none; `revision` None until evaluated."""

    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str
    late: bool
    revision: int | None


COLUMNS = tuple(position.c[name] for name in PositionRow._fields)


def positions(
    connection: Connection,
    device_key: int,
    after: int | None,
    limit: int,
    *,
    start: int | None = None,
    end: int | None = None,
) -> Sequence[PositionRow]:
    """Fixes in sample_time order, from `start` on and before `end`."""
    statement = select(*COLUMNS).where(position.c.device_key == device_key)
    if after is not None:
        statement = statement.where(position.c.sample_time > after)
    if start is not None:
        statement = statement.where(position.c.sample_time >= start)
    if end is not None:
        statement = statement.where(position.c.sample_time < end)
    statement = statement.order_by(position.c.sample_time).limit(limit)
    return [PositionRow(*row) for row in connection.execute(statement)]


def stored_next_to(connection: Connection, device_key: int, sample_time: int) -> Sequence[PositionRow]:
    """The last position of a device up to a time (ms) and the first after it, as far as there are any."""
    of_device = select(*COLUMNS).where(position.c.device_key == device_key)
    time = position.c.sample_time
    before = of_device.where(time <= sample_time).order_by(time.desc()).limit(1)
    after = of_device.where(time > sample_time).order_by(time).limit(1)
    rows = (connection.execute(each).one_or_none() for each in (before, after))
    return [PositionRow(*row) for row in rows if row is not None]
