"""Links: with which collections a tracker's fixes are compared, and what making and ending one writes."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from service.store.reading.links import CURRENT
from service.store.schema import device, geofence, inside, tracker_consumer


class Link(NamedTuple):
    """A collection that a tracker's fixes are compared with; linked anew it is another link."""

    tracker_key: int
    collection_key: int
    linked_revision: int


def links(connection: Connection) -> list[Link]:
    """All links that hold now."""
    statement = select(
        tracker_consumer.c.tracker_key, tracker_consumer.c.collection_key, tracker_consumer.c.linked_revision
    )
    rows = connection.execute(statement.where(CURRENT))
    return [Link(*row) for row in rows]


def insert_link(connection: Connection, of_tracker: int, to_collection: int, at_revision: int) -> None:
    """Begins with nothing inside, whatever a commit wrote while the link before ended."""
    values = {"tracker_key": of_tracker, "collection_key": to_collection, "linked_revision": at_revision}
    connection.execute(insert(tracker_consumer).values(values))
    _end_visits(connection, of_tracker, to_collection)


def delete_link(connection: Connection, of_tracker: int, to_collection: int, at_revision: int) -> None:
    """Ends a link, and without an event the state that rested on it."""
    connection.execute(
        update(tracker_consumer)
        .where(
            tracker_consumer.c.tracker_key == of_tracker,
            tracker_consumer.c.collection_key == to_collection,
            CURRENT,
        )
        .values(unlinked_revision=at_revision)
    )
    _end_visits(connection, of_tracker, to_collection)


def _end_visits(connection: Connection, of_tracker: int, to_collection: int) -> None:
    devices = select(device.c.key).where(device.c.tracker_key == of_tracker)
    geofences = select(geofence.c.key).where(geofence.c.collection_key == to_collection)
    connection.execute(
        delete(inside).where(inside.c.device_key.in_(devices), inside.c.geofence_key.in_(geofences))
    )
