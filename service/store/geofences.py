"""Geofences and their versions: what changes them, and what they have become since a revision."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from service.store.areas import delete_area
from service.store.schema import geofence, geofence_version, inside

LOOKED_UP_AT_ONCE = 1_000

OF_NOW = (geofence_version.c.geofence_key == geofence.c.key) & (
    geofence_version.c.revision == geofence.c.revision
)
"""Joins a geofence with its last version: what it is now, or that it was deleted."""


def current_keys(connection: Connection, of_collection: int, ids: Sequence[str]) -> dict[str, int]:
    """Those of the geofence ids that exist: id -> key."""
    keys: dict[str, int] = {}
    for start in range(0, len(ids), LOOKED_UP_AT_ONCE):
        statement = select(geofence.c.geofence_id, geofence.c.key).where(
            geofence.c.collection_key == of_collection,
            geofence.c.deleted_revision.is_(None),
            geofence.c.geofence_id.in_(ids[start : start + LOOKED_UP_AT_ONCE]),
        )
        keys.update((geofence_id, key) for geofence_id, key in connection.execute(statement))
    return keys


def insert_geofences(
    connection: Connection, of_collection: int, ids: Sequence[str], at_revision: int, time: int
) -> list[int]:
    """Adds geofences; answers their keys, in the same order."""
    statement = insert(geofence).returning(geofence.c.key, sort_by_parameter_order=True)
    rows = [
        {
            "collection_key": of_collection,
            "geofence_id": geofence_id,
            "revision": at_revision,
            "created_time": time,
            "updated_time": time,
        }
        for geofence_id in ids
    ]
    return list(connection.scalars(statement, rows))


class Times(NamedTuple):
    """When a geofence was created and last put; milliseconds."""

    created: int
    updated: int


def geofence_times(connection: Connection, keys: Mapping[str, int]) -> dict[str, Times]:
    """Of geofences by id, few of them; keys: id -> key."""
    statement = select(geofence.c.geofence_id, geofence.c.created_time, geofence.c.updated_time)
    rows = connection.execute(statement.where(geofence.c.key.in_(keys.values())))
    return {geofence_id: Times(created, updated) for geofence_id, created, updated in rows}


class Version(NamedTuple):
    """What a geofence is from a revision on: a GeoJSON Feature, or None where it is deleted.

    `given` is its geometry as it was given, where the feature does not say it just so.
    """

    geofence_key: int
    feature: str | None
    given: str | None = None


def insert_versions(connection: Connection, versions: Sequence[Version], at_revision: int, time: int) -> None:
    """What geofences are from this revision on."""
    rows = [{**version._asdict(), "revision": at_revision} for version in versions]
    connection.execute(insert(geofence_version), rows)
    for start in range(0, len(rows), LOOKED_UP_AT_ONCE):
        keys = [version.geofence_key for version in versions[start : start + LOOKED_UP_AT_ONCE]]
        connection.execute(
            update(geofence).where(geofence.c.key.in_(keys)).values(revision=at_revision, updated_time=time)
        )


def delete_geofence(connection: Connection, key: int, at_revision: int, time: int) -> None:
    """From this revision on the geofence is no more, and nothing is inside it."""
    insert_versions(connection, [Version(key, None)], at_revision, time)
    connection.execute(update(geofence).where(geofence.c.key == key).values(deleted_revision=at_revision))
    connection.execute(delete(inside).where(inside.c.geofence_key == key))
    delete_area(connection, key)


class GeofenceChange(NamedTuple):
    """What a geofence has become; feature is None where it was deleted."""

    key: int
    collection_key: int
    geofence_id: str
    revision: int
    feature: str | None


def changes_since(
    connection: Connection, seen: int, of_collection: int | None = None
) -> Iterator[GeofenceChange]:
    """The newest version of each geofence, of all or of one collection, that changed after revision `seen`.

    One row at a time.
    """
    statement = (
        select(
            geofence.c.key,
            geofence.c.collection_key,
            geofence.c.geofence_id,
            geofence.c.revision,
            geofence_version.c.feature,
        )
        .join(geofence_version, OF_NOW)
        .where(geofence.c.revision > seen)
    )
    if of_collection is not None:
        statement = statement.where(geofence.c.collection_key == of_collection)
    for row in connection.execute(statement.execution_options(yield_per=1_000)):
        yield GeofenceChange(*row)
