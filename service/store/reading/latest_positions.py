"""The latest positions of devices, as Amazon Location's face gives them."""

from collections.abc import Sequence

from shapely.geometry import Polygon
from sqlalchemy import Connection

from service.store.devices import of_ids
from service.store.reading.devices import BoundingBox, DeviceRow, shown_devices, within
from service.store.schema import device


def latest_positions(
    connection: Connection, tracker_key: int, device_ids: Sequence[str], oldest: int
) -> Sequence[DeviceRow]:
    """Of those of these devices that have one measured at `oldest` or later, by key."""
    among = of_ids(connection, device_ids)
    statement = shown_devices(tracker_key).where(device.c.sample_time >= oldest, among.condition)
    return [DeviceRow(*row) for row in connection.execute(statement.order_by(device.c.key), among.values)]


def latest_page(
    connection: Connection, tracker_key: int, after: int, limit: int, oldest: int, area: Polygon | None
) -> Sequence[DeviceRow]:
    """The same of all devices after a key, of those whose place may be in an area."""
    statement = shown_devices(tracker_key).where(device.c.sample_time >= oldest, device.c.key > after)
    if area is not None:
        statement = statement.where(within(connection, BoundingBox(*area.bounds)))
    return [DeviceRow(*row) for row in connection.execute(statement.order_by(device.c.key).limit(limit))]
