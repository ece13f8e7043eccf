"""Geofence events in the order in which they were committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from service.native_event import NATIVE_COLUMNS, native_event
from service.store.reading.devices import key_of_device
from service.store.schema import event, tracker


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None is any. From `start` on and before `end`, by sample_time."""

    device_id: str | None = None
    geofence_id: str | None = None
    collection_name: str | None = None
    event_type: str | None = None
    start: int | None = None
    end: int | None = None


class EventRow(NamedTuple):
    """One event; `seq` is its place in the order of commit."""

    seq: int
    native: dict[str, object]


def events(
    connection: Connection, tracker_key: int, wanted: EventFilter, after: int, limit: int
) -> Sequence[EventRow]:
    """Events whose seq is above `after`."""
    found = select(event.c.seq).where(
        event.c.tracker_key == tracker_key, event.c.seq > after, *_conditions(tracker_key, wanted)
    )
    # a sum has no index: else all events before the time that is asked for are read, too
    first = event.c.seq + 0 if _few_in_time(connection, tracker_key, wanted) else event.c.seq
    statement = (
        select(event.c.seq, *NATIVE_COLUMNS)
        .join(tracker, tracker.c.key == event.c.tracker_key)
        .where(event.c.seq.in_(found.order_by(first).limit(limit)))
        .order_by(event.c.seq)
    )
    return [EventRow(row["seq"], native_event(row)) for row in connection.execute(statement).mappings()]


FEW = 20_000
"""So many are found by their time, and sorted; of more a page is found sooner in the order of commit."""


def _few_in_time(connection: Connection, tracker_key: int, wanted: EventFilter) -> bool:
    """Whether a time is asked for in which there are few events, and no device, which has few itself."""
    if wanted.device_id is not None or (wanted.start is None and wanted.end is None):
        return False
    within = select(event.c.seq).where(event.c.tracker_key == tracker_key, *_in_time(wanted))
    counted = select(func.count()).select_from(within.limit(FEW).subquery())
    return (connection.scalar(counted) or 0) < FEW


def _conditions(tracker_key: int, wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.device_id is not None:
        key = key_of_device(tracker_key, wanted.device_id).scalar_subquery()
        conditions.append(event.c.device_key == key)
    if wanted.geofence_id is not None:
        conditions.append(event.c.geofence_id == wanted.geofence_id)
    if wanted.collection_name is not None:
        conditions.append(event.c.collection_name == wanted.collection_name)
    if wanted.event_type is not None:
        conditions.append(event.c.event_type == wanted.event_type)
    return [*conditions, *_in_time(wanted)]


def _in_time(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.start is not None:
        conditions.append(event.c.sample_time >= wanted.start)
    if wanted.end is not None:
        conditions.append(event.c.sample_time < wanted.end)
    return conditions
