"""Trackers: adding, changing and removing one."""

from sqlalchemy import Connection, delete, insert, select, update

from service.store.devices import delete_unreferenced
from service.store.schema import device, tracker


def insert_tracker(connection: Connection, name: str, created_time: int, *, position_events: bool) -> None:
    values = {"name": name, "created_time": created_time, "position_events": position_events}
    connection.execute(insert(tracker).values(values))


def update_tracker(connection: Connection, key: int, *, position_events: bool) -> None:
    connection.execute(update(tracker).where(tracker.c.key == key).values(position_events=position_events))


def delete_tracker(connection: Connection, key: int) -> None:
    """Its links, devices, positions and events go with it: positions by name, the others by cascade."""
    delete_unreferenced(connection, select(device.c.key).where(device.c.tracker_key == key))
    connection.execute(delete(tracker).where(tracker.c.key == key))
