"""Trackers: adding, changing and removing one."""

from collections.abc import Mapping
from typing import TypedDict

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from service.store.devices import delete_unreferenced
from service.store.schema import device, tracker


class TrackerValues(TypedDict, total=False):
    """What a tracker may be told to be, each as in TrackerRow; what is not there stays as it is."""

    position_events: bool
    position_filtering: str | None
    description: str
    tags: Mapping[str, str]
    kms_key_id: str | None
    kms_geospatial: bool


def insert_tracker(
    connection: Connection,
    name: str,
    created_time: int,
    values: TrackerValues,
    of_collection: int | None = None,
) -> int:
    """of_collection: key of the collection of which it is a part. Answers its own key."""
    of_its_own = {"name": name, "created_time": created_time, "of_collection": of_collection}
    statement = insert(tracker).values({**of_its_own, **written_values(values)})
    key: int = connection.scalars(statement.returning(tracker.c.key)).one()
    return key


def update_tracker(connection: Connection, key: int, updated_time: int, values: TrackerValues) -> None:
    changed = {"updated_time": updated_time, **written_values(values)}
    connection.execute(update(tracker).where(tracker.c.key == key).values(changed))


def written_values(values: Mapping[str, object]) -> dict[str, object]:
    """As columns hold them."""
    return {
        name: msgspec.json.encode(value, order="sorted").decode() if name == "tags" else value
        for name, value in values.items()
    }


def delete_tracker(connection: Connection, key: int) -> None:
    """Its links, devices, positions and events go with it: positions by name, the others by cascade."""
    delete_unreferenced(connection, select(device.c.key).where(device.c.tracker_key == key))
    connection.execute(delete(tracker).where(tracker.c.key == key))
