"""Fixes that are stored next to others, in the order of sample_time, and do not wait."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, select

from service.store.columns import wanted_keys
from service.store.schema import WAITING, device, position


def stored_around(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64], span: int
) -> NDArray[np.bool_]:
    """Which have another of their device less than `span` (ms) before or after."""
    found = np.zeros(len(device_key), np.bool_)
    if len(device_key):
        wanted, values = wanted_keys(connection, position, _keys(device_key, sample_time))
        time = position.c.sample_time
        near = and_(time > wanted.c.sample_time - span, time < wanted.c.sample_time + span)
        of_device = position.c.device_key == wanted.c.device_key
        here = and_(of_device, near, ~WAITING, _days(sample_time, span))
        statement = select(wanted.c.place).join_from(wanted, position, here).distinct()
        found[list(connection.scalars(statement, values))] = True
    return found


def stored_just_before(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64], span: int
) -> Iterator[tuple[int, int]]:
    """(index, sample_time of the last before it) of those that have one less than `span` (ms) before."""
    if not len(device_key):
        return
    wanted, values = wanted_keys(connection, position, _keys(device_key, sample_time))
    time = position.c.sample_time
    before = and_(time > wanted.c.sample_time - span, time < wanted.c.sample_time)
    of_device = position.c.device_key == wanted.c.device_key
    here = and_(of_device, before, ~WAITING, _days(sample_time, span))
    statement = (
        select(wanted.c.place, func.max(time)).join_from(wanted, position, here).group_by(wanted.c.place)
    )
    for place, last in connection.execute(statement, values):
        yield int(place), int(last)


def evaluated_before(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64]
) -> Iterator[tuple[int, float, float, float | None]]:
    """(index, longitude, latitude, accuracy of the last evaluated before it), of those that have one."""
    if not len(device_key):
        return
    wanted, values = wanted_keys(connection, position, _keys(device_key, sample_time))
    last = position.alias("last")
    time = (
        select(last.c.sample_time)
        .where(
            last.c.device_key == wanted.c.device_key,
            last.c.sample_time < wanted.c.sample_time,
            last.c.revision.is_not(None),
        )
        .order_by(last.c.sample_time.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (position.c[name] for name in ("longitude", "latitude", "accuracy"))
    at = and_(position.c.device_key == wanted.c.device_key, position.c.sample_time == time)
    for row in connection.execute(select(wanted.c.place, *columns).join_from(wanted, position, at), values):
        yield row[0], row[1], row[2], row[3]


def devices_standing_at(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64]
) -> list[int]:
    """Keys of the devices of which the latest position is one of these. Nobody else moves it meanwhile."""
    wanted, values = wanted_keys(connection, position, _keys(device_key, sample_time))
    at = and_(device.c.key == wanted.c.device_key, device.c.sample_time == wanted.c.sample_time)
    statement = select(device.c.key).join_from(wanted, device, at).with_for_update(of=device)
    return list(connection.scalars(statement, values))


def _keys(device_key: NDArray[np.int64], sample_time: NDArray[np.int64]) -> dict[str, list[int]]:
    return {"device_key": device_key.tolist(), "sample_time": sample_time.tolist()}


def _days(sample_time: NDArray[np.int64], span: int) -> ColumnElement[bool]:
    """Only the partitions of these days (ms) are looked at: what is joined with says nothing of them."""
    return position.c.sample_time.between(int(sample_time.min()) - span, int(sample_time.max()) + span)
