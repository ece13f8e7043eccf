"""Devices: the latest position of each, and the geofences it is inside of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, tuple_

from service.errors import NotFound
from service.store.columns import on_postgres
from service.store.schema import PLACE, collection, device, geofence, inside, tombstone


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """Degrees; an area over the antimeridian has its west east of its east."""

    west: float
    south: float
    east: float
    north: float


class DeviceRow(NamedTuple):
    """A device and its latest position; `properties` is JSON text, '' where there are none."""

    key: int
    device_id: str
    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str


COLUMNS = tuple(device.c[name] for name in DeviceRow._fields)


def devices(
    connection: Connection,
    tracker_key: int,
    after: tuple[int, int],
    limit: int,
    *,
    box: BoundingBox | None = None,
    since: int | None = None,
) -> Sequence[DeviceRow]:
    """Devices by (received_time, key), so that a place in this order is followed by what has moved since.

    `since` leaves out those whose latest sample_time is before it.
    """
    statement = (
        shown_devices(tracker_key)
        .where(tuple_(device.c.received_time, device.c.key) > tuple_(*after))
        .order_by(device.c.received_time, device.c.key)
        .limit(limit)
    )
    if box is not None:
        statement = statement.where(within(connection, box))
    if since is not None:
        statement = statement.where(device.c.sample_time >= since)
    return [DeviceRow(*row) for row in connection.execute(statement)]


def device_named(connection: Connection, tracker_key: int, device_id: str) -> DeviceRow:
    """The device of this id. Raises NotFound."""
    row = connection.execute(shown_devices(tracker_key).where(device.c.device_id == device_id)).one_or_none()
    if row is None:
        raise NotFound(f"no position of device {device_id!r} is stored", "/v1/devices")
    return DeviceRow(*row)


def shown_devices(tracker_key: int) -> Select[Any]:
    """COLUMNS of devices whose latest position was not deleted, as it is with their history."""
    deleted = exists().where(
        tombstone.c.tracker_key == device.c.tracker_key,
        tombstone.c.device_id == device.c.device_id,
        tombstone.c.forgotten_time >= device.c.sample_time,
    )
    return select(*COLUMNS).where(device.c.tracker_key == tracker_key, ~deleted)


def within(connection: Connection, box: BoundingBox) -> ColumnElement[bool]:
    """Whether the latest position is in the box."""
    return and_(_meets(box), _within(box)) if on_postgres(connection) else _within(box)


def key_of_device(tracker_key: int, device_id: str) -> Select[tuple[int]]:
    """The device's key, or no row; for use inside other statements."""
    return select(device.c.key).where(device.c.tracker_key == tracker_key, device.c.device_id == device_id)


def geofences_around(connection: Connection, device_key: int) -> Sequence[tuple[str, str]]:
    """(collection name, geofence id) of what the device is inside of, by name and id."""
    statement = (
        select(collection.c.name, geofence.c.geofence_id)
        .select_from(inside)
        .join(geofence, geofence.c.key == inside.c.geofence_key)
        .join(collection, collection.c.key == geofence.c.collection_key)
        .where(inside.c.device_key == device_key, geofence.c.deleted_revision.is_(None))
        .order_by(collection.c.name, geofence.c.geofence_id)
    )
    return [(name, geofence_id) for name, geofence_id in connection.execute(statement)]


def _meets(box: BoundingBox) -> ColumnElement[bool]:
    """What the index of places knows: a little more than `_within`."""
    wests = [(box.west, 180.0), (-180.0, box.east)] if box.west > box.east else [(box.west, box.east)]
    wests += [(other, other) for touches, other in _names_of_the_antimeridian(box) if touches]
    return or_(*(PLACE.op("&&")(_envelope(west, box.south, east, box.north)) for west, east in wests))


def _envelope(*sides: float) -> ColumnElement[Any]:
    return func.ST_MakeEnvelope(*sides, 4326)


def _within(box: BoundingBox) -> ColumnElement[bool]:
    longitude = device.c.longitude
    if box.west > box.east:
        across = or_(longitude >= box.west, longitude <= box.east)
    else:
        across = or_(longitude.between(box.west, box.east), *_other_name_of_the_antimeridian(box))
    return and_(across, device.c.latitude.between(box.south, box.north))


def _other_name_of_the_antimeridian(box: BoundingBox) -> list[ColumnElement[bool]]:
    """A box that ends at longitude 180 also holds what was measured at -180, and the other way round."""
    return [device.c.longitude == other for touches, other in _names_of_the_antimeridian(box) if touches]


def _names_of_the_antimeridian(box: BoundingBox) -> list[tuple[bool, float]]:
    return [(box.east == 180, -180.0), (box.west == -180, 180.0)]
