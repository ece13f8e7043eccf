"""Geofence collections: adding and removing one."""

from sqlalchemy import Connection, delete, insert

from service.store.schema import collection


def insert_collection(connection: Connection, name: str, created_time: int) -> None:
    connection.execute(insert(collection).values(name=name, created_time=created_time))


def delete_collection(connection: Connection, key: int) -> None:
    """Its geofences and the events of these go with it, by cascade."""
    connection.execute(delete(collection).where(collection.c.key == key))
