"""Links: which tracker watches which geofence collection now."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from service.store.reading import trackers
from service.store.reading.collections import CollectionRow, collection_row, selected_collections
from service.store.reading.trackers import TrackerRow, tracker_row
from service.store.schema import collection, tracker, tracker_consumer

CURRENT = tracker_consumer.c.unlinked_revision.is_(None)


def linked_collections(
    connection: Connection, tracker_key: int, after: int, limit: int
) -> Sequence[CollectionRow]:
    """The collections that a tracker watches, in the order in which they were created."""
    statement = (
        selected_collections()
        .join(tracker_consumer, tracker_consumer.c.collection_key == collection.c.key)
        .where(tracker_consumer.c.tracker_key == tracker_key, CURRENT, collection.c.key > after)
        .limit(limit)
    )
    return [collection_row(row) for row in connection.execute(statement)]


def linked_trackers(
    connection: Connection, collection_key: int, after: int, limit: int
) -> Sequence[TrackerRow]:
    """The trackers that watch a collection, in the order in which they were created, without its own."""
    statement = (
        select(*trackers.COLUMNS)
        .join(tracker_consumer, tracker_consumer.c.tracker_key == tracker.c.key)
        .where(tracker_consumer.c.collection_key == collection_key, CURRENT, tracker.c.key > after)
        .where(trackers.PEOPLES)
        .order_by(tracker.c.key)
        .limit(limit)
    )
    return [tracker_row(row) for row in connection.execute(statement)]
