"""Geofence collections: adding, changing and removing one."""

from collections.abc import Mapping
from typing import TypedDict

from sqlalchemy import Connection, delete, insert, update

from service.crossing_rule import CrossingRule
from service.store.schema import collection, collection_version
from service.store.trackers import written_values


class CollectionValues(TypedDict, total=False):
    """What a collection may be told to be, each as in CollectionRow; what is not there stays as it is."""

    description: str
    tags: Mapping[str, str]
    kms_key_id: str | None


def insert_collection(connection: Connection, name: str, created_time: int, values: CollectionValues) -> int:
    """Answers its key."""
    row = {"name": name, "created_time": created_time, **written_values(values)}
    return int(connection.execute(insert(collection).values(row).returning(collection.c.key)).scalar_one())


def update_collection(connection: Connection, key: int, updated_time: int, values: CollectionValues) -> None:
    changed = {"updated_time": updated_time, **written_values(values)}
    connection.execute(update(collection).where(collection.c.key == key).values(changed))


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
