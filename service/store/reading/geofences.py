"""The geofences of a collection, as GeoJSON text."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, tuple_

from service.errors import NotFound
from service.store.schema import geofence, geofence_version


class GeofenceRow(NamedTuple):
    """A geofence as it is now; `feature` is its GeoJSON Feature."""

    key: int
    revision: int
    geofence_id: str
    feature: str


def geofences(
    connection: Connection, collection_key: int, after: tuple[int, int], limit: int, most_characters: int
) -> tuple[Sequence[GeofenceRow], bool]:
    """Geofences by (revision, key), so that a place in this order is followed by what was put since.

    Ends early, but not before the first, once the features together pass `most_characters`. Answers whether
    there are more, too.
    """
    page = (
        select(geofence.c.key, geofence.c.revision, geofence.c.geofence_id)
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
        select(page, geofence_version.c.feature)
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
        characters += len(rows[-1].feature)
    return rows, False


def geofence_feature(connection: Connection, collection_key: int, geofence_id: str) -> str:
    """The GeoJSON Feature of one geofence. Raises NotFound."""
    feature: str | None = connection.scalar(
        select(geofence_version.c.feature)
        .join(
            geofence,
            (geofence.c.key == geofence_version.c.geofence_key)
            & (geofence.c.revision == geofence_version.c.revision),
        )
        .where(
            geofence.c.collection_key == collection_key,
            geofence.c.geofence_id == geofence_id,
            geofence.c.deleted_revision.is_(None),
        )
    )
    if feature is None:
        raise NotFound(f"there is no geofence {geofence_id!r}: GET /v1/geofences lists those there are")
    return feature


def count_geofences(connection: Connection, collection_key: int) -> int:
    """How many a collection has now."""
    current = (geofence.c.collection_key == collection_key) & geofence.c.deleted_revision.is_(None)
    return connection.scalar(select(func.count()).select_from(geofence).where(current)) or 0
