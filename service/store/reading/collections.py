"""Geofence collections."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.errors import NotFound
from service.store.schema import collection


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


def collection_names(connection: Connection) -> dict[int, str]:
    """Key -> name, of all."""
    return {key: name for key, name in connection.execute(select(collection.c.key, collection.c.name))}
