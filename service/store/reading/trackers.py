"""Trackers."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.errors import NotFound
from service.store.schema import tracker


class TrackerRow(NamedTuple):
    """A tracker. `position_events`: whether each of its positions is put on the event bus."""

    key: int
    name: str
    created_time: int
    position_events: bool


COLUMNS = tuple(tracker.c[name] for name in TrackerRow._fields)


def trackers(connection: Connection, after: int, limit: int) -> Sequence[TrackerRow]:
    """Trackers in the order in which they were created."""
    statement = select(*COLUMNS).where(tracker.c.key > after).order_by(tracker.c.key).limit(limit)
    return [TrackerRow(*row) for row in connection.execute(statement)]


def tracker_named(connection: Connection, name: str) -> TrackerRow:
    """The tracker of this name. Raises NotFound."""
    row = connection.execute(select(*COLUMNS).where(tracker.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"there is no tracker {name!r}: GET /v1/trackers lists those there are")
    return TrackerRow(*row)


def tracker_names(connection: Connection) -> dict[int, str]:
    """Key -> name, of all."""
    return {key: name for key, name in connection.execute(select(tracker.c.key, tracker.c.name))}
