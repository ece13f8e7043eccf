"""Revisions: what each changed of the geofences, of how they are crossed and of who watches them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, or_, select

from service.store.reading.trackers import PEOPLES
from service.store.schema import (
    collection,
    collection_version,
    geofence,
    geofence_version,
    revision,
    tracker,
    tracker_consumer,
)


class ChangeRow(NamedTuple):
    """One change. `kind`: put, delete, link, unlink, collection; `feature` is the GeoJSON Feature that was
    put; `crossing`, `max_gap` (ms) and `max_speed` (metres per second) are the collection's from then on.

    Of what was removed with its collection or its tracker a row without names remains.
    """

    revision: int
    geofence_key: int  # 0 where it is about no geofence
    kind: str
    committed_time: int
    tracker_name: str | None
    collection_name: str | None
    geofence_id: str | None
    feature: str | None
    crossing: str | None
    max_gap: int | None
    max_speed: float | None


def changes(
    connection: Connection, after: tuple[int, int], limit: int, most_characters: int
) -> tuple[Sequence[ChangeRow], bool]:
    """Changes by (revision, geofence key); every revision has one at least.

    Ends early, but not before the first, once the features together pass `most_characters`. Answers whether
    there are more, too.
    """
    rows: list[ChangeRow] = []
    characters = 0
    for row in _rows(connection, after, limit + 1):
        if len(rows) == limit or characters > most_characters:
            return rows, True
        rows.append(row)
        characters += len(row.feature or "")
    return rows, False


def _rows(connection: Connection, after: tuple[int, int], limit: int) -> Iterator[ChangeRow]:
    """What remains of the revision at which the last page ended, then those after it: both by an index."""
    at, key = after
    rest = _selected(and_(revision.c.revision == at, geofence_version.c.geofence_key > key))
    later = _selected(revision.c.revision > at)
    for statement in (rest, later):
        limited = statement.limit(limit).execution_options(yield_per=50)
        for row in connection.execute(limited):
            yield ChangeRow(*row)


LINK = and_(
    revision.c.kind.in_(("link", "unlink")),
    or_(
        tracker_consumer.c.linked_revision == revision.c.revision,
        tracker_consumer.c.unlinked_revision == revision.c.revision,
    ),
)


OF_PEOPLE = select(tracker.c.key).where(PEOPLES)
"""A link of another tracker is part of its collection: of its revision a row without names is told."""


def _selected(condition: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """The columns of ChangeRow, in its order."""
    columns = (
        revision.c.revision,
        func.coalesce(geofence_version.c.geofence_key, 0),
        revision.c.kind,
        revision.c.committed_time,
        tracker.c.name,
        collection.c.name,
        geofence.c.geofence_id,
        geofence_version.c.feature,
        collection_version.c.crossing,
        collection_version.c.max_gap,
        collection_version.c.max_speed,
    )
    return (
        select(*columns)
        .select_from(_joined())
        .where(condition)
        .order_by(revision.c.revision, geofence_version.c.geofence_key)
    )


def _joined() -> FromClause:
    of_collection = func.coalesce(
        geofence.c.collection_key, tracker_consumer.c.collection_key, collection_version.c.collection_key
    )
    return (
        revision.outerjoin(geofence_version, geofence_version.c.revision == revision.c.revision)
        .outerjoin(geofence, geofence.c.key == geofence_version.c.geofence_key)
        .outerjoin(tracker_consumer, and_(LINK, tracker_consumer.c.tracker_key.in_(OF_PEOPLE)))
        .outerjoin(collection_version, collection_version.c.revision == revision.c.revision)
        .outerjoin(tracker, tracker.c.key == tracker_consumer.c.tracker_key)
        .outerjoin(collection, collection.c.key == of_collection)
    )
