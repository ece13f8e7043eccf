"""Geofence collections, each with how its geofences are crossed now."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, func, select

from service.crossing_rule import DEFAULT_RULE, CrossingRule
from service.errors import NotFound
from service.store.reading.trackers import read_tags
from service.store.schema import collection, collection_version


class CollectionRow(NamedTuple):
    """A geofence collection. `kms_key_id` is kept for who asks, as a tracker's."""

    key: int
    name: str
    created_time: int
    rule: CrossingRule
    description: str
    tags: dict[str, str]
    kms_key_id: str | None
    updated_time: int


_version = collection_version.alias("version")
NEWEST = (
    select(func.max(_version.c.revision))
    .where(_version.c.collection_key == collection.c.key)
    .scalar_subquery()
)
IN_FORCE = and_(
    collection_version.c.collection_key == collection.c.key, collection_version.c.revision == NEWEST
)


def selected_collections() -> Select[*tuple[Any, ...]]:
    """What `collection_row` needs, of all, in the order in which they were created."""
    own = [column for column in collection.columns if column.name in CollectionRow._fields]
    rule = (collection_version.c.crossing, collection_version.c.max_gap, collection_version.c.max_speed)
    return (
        select(*own, *rule)
        .select_from(collection)
        .outerjoin(collection_version, IN_FORCE)
        .order_by(collection.c.key)
    )


def collection_row(row: Row[*tuple[Any, ...]]) -> CollectionRow:
    rule = DEFAULT_RULE if row.crossing is None else CrossingRule(row.crossing, row.max_gap, row.max_speed)
    return CollectionRow(
        row.key,
        row.name,
        row.created_time,
        rule,
        row.description,
        read_tags(row.tags),
        row.kms_key_id,
        row.created_time if row.updated_time is None else row.updated_time,
    )


def collections(connection: Connection, after: int, limit: int) -> Sequence[CollectionRow]:
    """Collections in the order in which they were created."""
    statement = selected_collections().where(collection.c.key > after).limit(limit)
    return [collection_row(row) for row in connection.execute(statement)]


def all_collections(connection: Connection) -> Sequence[CollectionRow]:
    return [collection_row(row) for row in connection.execute(selected_collections())]


def collection_named(connection: Connection, name: str) -> CollectionRow:
    """The collection of this name. Raises NotFound."""
    statement = selected_collections().where(collection.c.name == name)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no collection {name!r}", "/v1/collections")
    return collection_row(row)


def collection_names(connection: Connection) -> dict[int, str]:
    """Key -> name, of all."""
    return {key: name for key, name in connection.execute(select(collection.c.key, collection.c.name))}
