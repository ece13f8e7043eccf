"""Trackers, and the collections whose geofences each one watches."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.errors import NotFound
from service.store.reading.collections import CollectionRow
from service.store.schema import collection, tracker, tracker_consumer


class TrackerRow(NamedTuple):
    """A tracker."""

    key: int
    name: str
    created_time: int


COLUMNS = (tracker.c.key, tracker.c.name, tracker.c.created_time)


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


def linked_collections(
    connection: Connection, tracker_key: int, after: int, limit: int
) -> Sequence[CollectionRow]:
    """The collections that a tracker watches now, in the order in which they were created."""
    statement = (
        select(collection.c.key, collection.c.name, collection.c.created_time)
        .join(tracker_consumer, tracker_consumer.c.collection_key == collection.c.key)
        .where(
            tracker_consumer.c.tracker_key == tracker_key,
            tracker_consumer.c.unlinked_revision.is_(None),
            collection.c.key > after,
        )
        .order_by(collection.c.key)
        .limit(limit)
    )
    return [CollectionRow(*row) for row in connection.execute(statement)]
