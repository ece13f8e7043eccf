"""Geofence collections, and the trackers that watch each one."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.errors import NotFound
from service.store.schema import collection, tracker, tracker_consumer


class CollectionRow(NamedTuple):
    """A geofence collection."""

    key: int
    name: str
    created_time: int


COLUMNS = (collection.c.key, collection.c.name, collection.c.created_time)


def collections(connection: Connection, after: int, limit: int) -> Sequence[CollectionRow]:
    """Collections in the order in which they were created."""
    statement = select(*COLUMNS).where(collection.c.key > after).order_by(collection.c.key).limit(limit)
    return [CollectionRow(*row) for row in connection.execute(statement)]


def collection_named(connection: Connection, name: str) -> CollectionRow:
    """The collection of this name. Raises NotFound."""
    row = connection.execute(select(*COLUMNS).where(collection.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"there is no collection {name!r}: GET /v1/collections lists those there are")
    return CollectionRow(*row)


def linked_trackers(
    connection: Connection, collection_key: int, after: int, limit: int
) -> Sequence[tuple[int, str, int]]:
    """Key, name and created_time of the trackers that watch a collection now, in order of creation."""
    statement = (
        select(tracker.c.key, tracker.c.name, tracker.c.created_time)
        .join(tracker_consumer, tracker_consumer.c.tracker_key == tracker.c.key)
        .where(
            tracker_consumer.c.collection_key == collection_key,
            tracker_consumer.c.unlinked_revision.is_(None),
            tracker.c.key > after,
        )
        .order_by(tracker.c.key)
        .limit(limit)
    )
    return [(key, name, created_time) for key, name, created_time in connection.execute(statement)]
