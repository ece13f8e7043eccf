"""Positions that are still to be put on the event bus."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from service.store.schema import device, position, position_update, tracker


class PositionUpdate(NamedTuple):
    """A position as it is told. `key` is its place in the order of commit, `lane` its device."""

    key: int
    lane: int
    tracker_name: str
    device_id: str
    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str


class WaitingUpdate(NamedTuple):
    """What the outbox holds: `position` is None where that is gone."""

    key: int
    lane: int
    position: PositionUpdate | None


def waiting_updates(connection: Connection, limit: int) -> Sequence[WaitingUpdate]:
    """The first that wait, in order."""
    first = select(position_update).order_by(position_update.c.key).limit(limit).subquery("first")
    statement = (
        select(
            first.c.key,
            first.c.device_key,
            tracker.c.name,
            device.c.device_id,
            first.c.sample_time,
            position.c.received_time,
            position.c.longitude,
            position.c.latitude,
            position.c.accuracy,
            position.c.properties,
        )
        .select_from(first)
        .outerjoin(
            position,
            (position.c.device_key == first.c.device_key) & (position.c.sample_time == first.c.sample_time),
        )
        .outerjoin(device, device.c.key == position.c.device_key)
        .outerjoin(tracker, tracker.c.key == device.c.tracker_key)
        .order_by(first.c.key)
    )
    return [
        WaitingUpdate(row[0], row[1], None if row[5] is None else PositionUpdate._make(row))
        for row in connection.execute(statement)
    ]


def count_waiting(connection: Connection) -> int:
    """How many wait, about: keys are not given twice, so what lies between is what was not told yet."""
    first, last = connection.execute(
        select(func.min(position_update.c.key), func.max(position_update.c.key))
    ).one()
    return 0 if last is None else int(last - first + 1)
