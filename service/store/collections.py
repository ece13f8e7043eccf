"""Geofence collections: adding, changing and removing one."""

from sqlalchemy import Connection, delete, insert

from service.crossing_rule import CrossingRule
from service.store.schema import collection, collection_version


def insert_collection(connection: Connection, name: str, created_time: int) -> int:
    """Answers its key."""
    values = {"name": name, "created_time": created_time}
    return int(connection.execute(insert(collection).values(values).returning(collection.c.key)).scalar_one())


def insert_collection_version(connection: Connection, key: int, rule: CrossingRule, at_revision: int) -> None:
    """From this revision on its geofences are crossed so."""
    values = {
        "collection_key": key,
        "revision": at_revision,
        "crossing": rule.crossing,
        "max_gap": rule.max_gap,
        "max_speed": rule.max_speed,
    }
    connection.execute(insert(collection_version).values(values))


def delete_collection(connection: Connection, key: int) -> None:
    """Its geofences and the events of these go with it, by cascade."""
    connection.execute(delete(collection).where(collection.c.key == key))
