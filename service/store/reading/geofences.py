"""The geofences of a collection, as GeoJSON text."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, tuple_

from service.errors import NotFound
from service.store.schema import geofence, geofence_version


class GeofenceRow(NamedTuple):
    """A geofence as it is now; `feature` is its GeoJSON Feature, times are milliseconds.

    `given` is its geometry as it was given, where the feature does not say it just so.
    """

    key: int
    revision: int
    geofence_id: str
    created_time: int
    updated_time: int
    feature: str
    given: str | None


OWN = tuple(geofence.c[name] for name in GeofenceRow._fields[:5])
VERSION = (geofence_version.c.feature, geofence_version.c.given)


def geofences(
    connection: Connection, collection_key: int, after: tuple[int, int], limit: int, most_characters: int
) -> tuple[Sequence[GeofenceRow], bool]:
    """Geofences by (revision, key), so that a place in this order is followed by what was put since.

    Ends early, but not before the first, once the features together pass `most_characters`. Answers whether
    there are more, too.
    """
    page = (
        select(*OWN)
        .where(
            geofence.c.collection_key == collection_key,
            geofence.c.deleted_revision.is_(None),
            tuple_(geofence.c.revision, geofence.c.key) > tuple_(*after),
        )
        .order_by(geofence.c.revision, geofence.c.key)
        .limit(limit + 1)
        .subquery()  # features are read for this page only, not for all that is sorted
    )
    statement = (
        select(page, *VERSION)
        .join(
            geofence_version,
            (geofence_version.c.geofence_key == page.c.key)
            & (geofence_version.c.revision == page.c.revision),
        )
        .order_by(page.c.revision, page.c.key)
        .execution_options(yield_per=50)
    )
    rows: list[GeofenceRow] = []
    characters = 0
    for row in connection.execute(statement):
        if len(rows) == limit or characters > most_characters:
            return rows, True
        rows.append(GeofenceRow(*row))
        characters += len(rows[-1].feature) + len(rows[-1].given or "")
    return rows, False


def geofence_of_id(connection: Connection, collection_key: int, geofence_id: str) -> GeofenceRow:
    """One geofence. Raises NotFound."""
    row = connection.execute(
        select(*OWN, *VERSION)
        .join(
            geofence_version,
            (geofence.c.key == geofence_version.c.geofence_key)
            & (geofence.c.revision == geofence_version.c.revision),
        )
        .where(
            geofence.c.collection_key == collection_key,
            geofence.c.geofence_id == geofence_id,
            geofence.c.deleted_revision.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no geofence {geofence_id!r}", "/v1/geofences")
    return GeofenceRow._make(row)


def count_geofences(connection: Connection, collection_key: int) -> int:
    """How many a collection has now."""
    current = (geofence.c.collection_key == collection_key) & geofence.c.deleted_revision.is_(None)
    return connection.scalar(select(func.count()).select_from(geofence).where(current)) or 0
