"""Positions of devices: BatchUpdateDevicePosition, GetDevicePosition, BatchGetDevicePosition,
GetDevicePositionHistory, ListDevicePositions, BatchDeleteDevicePositionHistory.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import shapely
from shapely.geometry import Polygon

from geofence.faults import FeatureFaults
from geofence.reading.rings import read_polygon
from service.api.cursors import BEFORE_ALL
from service.api.services import ApiServices
from service.errors import NotFound
from service.intake import DAY
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.paging import paging
from service.location.updates import update_errors
from service.store.reading.devices import DeviceRow
from service.store.reading.latest_positions import latest_page, latest_positions
from service.store.reading.positions import PositionRow, positions
from service.store.reading.trackers import tracker_named
from service.timestamps import now

VERTICES: Final = 1_000
"""Of the area of ListDevicePositions, in all its rings."""
LOOKED_AT: Final = 1_000
"""Devices at once, of which those are shown that are in the area."""
PROPERTIES, LONGEST_KEY, LONGEST_VALUE = 4, 20, 150
"""What the model has room for of a position's properties."""

_properties = msgspec.json.Decoder(dict[str, Any])


async def batch_update_device_position(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    """Stores what can be stored, in one commit with what others post meanwhile."""
    updates = request["Updates"]
    refused = await services.posts.post(services.tracker, request["TrackerName"], updates)
    return {"Errors": update_errors(updates, refused)}


def get_device_position(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    name, device_id = request["TrackerName"], request["DeviceId"]
    rows = _latest(services, name, [device_id])
    if not rows:
        raise NotFound(f"tracker {name!r} has no position of device {device_id!r}")
    return shown_position(device_id, rows[0])


def batch_get_device_position(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Without those that have no position."""
    rows = {row.device_id: row for row in _latest(services, request["TrackerName"], request["DeviceIds"])}
    wanted = [each for each in dict.fromkeys(request["DeviceIds"]) if each in rows]
    return {"Errors": [], "DevicePositions": [shown_position(each, rows[each]) for each in wanted]}


def get_device_position_history(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    """By sample_time, from the oldest on. A device that is not known has none."""
    name, device_id, time = request["TrackerName"], request["DeviceId"], now()
    start = request.get("StartTimeInclusive", time - DAY)
    end = request.get("EndTimeExclusive", time)
    if start >= end:
        expected = "expected a time before EndTimeExclusive, which is now where it is not given"
        faults = [Field("StartTimeInclusive", expected)]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, faults)
    page = paging(request, ("positions", name, device_id), (BEFORE_ALL,))
    with services.database.read() as connection:
        of_tracker = tracker_named(connection, name).key
        known = latest_positions(connection, of_tracker, [device_id], BEFORE_ALL)
        rows: Sequence[PositionRow] = []
        if known:
            start = max(start, _oldest(services))
            rows = positions(connection, known[0].key, page.after[0], page.look, start=start, end=end)
    shown, more = page.page(rows, lambda row: (row.sample_time,))
    return {"DevicePositions": [shown_position(device_id, row) for row in shown], **more}


def list_device_positions(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """In the order in which the tracker met the devices."""
    name = request["TrackerName"]
    page = paging(request, ("device-positions", name), (0,))
    area = _area(request)
    rows: list[DeviceRow] = []
    (after,) = page.after
    with services.database.read() as connection:
        of_tracker = tracker_named(connection, name).key
        while len(rows) < page.look:
            looked_at = page.look if area is None else max(LOOKED_AT, page.look)
            some = latest_page(connection, of_tracker, after, looked_at, _oldest(services), area)
            rows += some if area is None else _inside(area, some)
            if len(some) < looked_at:
                break
            after = some[-1].key
    shown, more = page.page(rows, lambda row: (row.key,))
    return {"Entries": [_entry(row) for row in shown], **more}


def batch_delete_device_position_history(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    """The latest positions go with it; what the devices are inside of stays. One without any is no error."""
    services.tracker.delete_history(request["TrackerName"], list(dict.fromkeys(request["DeviceIds"])))
    return {"Errors": []}


def shown_position(device_id: str, row: DeviceRow | PositionRow) -> dict[str, Any]:
    """A DevicePosition."""
    return {
        "DeviceId": device_id,
        "SampleTime": row.sample_time,
        "ReceivedTime": row.received_time,
        "Position": [row.longitude, row.latitude],
        **_where_known(row),
    }


def _entry(row: DeviceRow) -> dict[str, Any]:
    entry = shown_position(row.device_id, row)
    del entry["ReceivedTime"]
    return entry


def _where_known(row: DeviceRow | PositionRow) -> dict[str, Any]:
    horizontal = {} if row.accuracy is None else {"Accuracy": {"Horizontal": row.accuracy}}
    texts = {
        key: value
        for key, value in (_properties.decode(row.properties) if row.properties else {}).items()
        if isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE and 0 < len(key) <= LONGEST_KEY
    }
    few = dict(list(texts.items())[:PROPERTIES])
    return {**horizontal, **({"PositionProperties": few} if few else {})}


def _latest(services: ApiServices, name: str, device_ids: Sequence[str]) -> Sequence[DeviceRow]:
    with services.database.read() as connection:
        of_tracker = tracker_named(connection, name).key
        return latest_positions(connection, of_tracker, device_ids, _oldest(services))


def _oldest(services: ApiServices) -> int:
    """What was measured before is not shown any more."""
    return now() - services.limits.history_days * DAY


def _area(request: Mapping[str, Any]) -> Polygon | None:
    """Raises ValidationException."""
    rings = request.get("FilterGeometry", {}).get("Polygon")
    if rings is None:
        return None
    faults = FeatureFaults()
    polygon = None
    vertices = sum(map(len, rings))
    if vertices <= VERTICES:
        polygon = read_polygon(msgspec.Raw(msgspec.json.encode(rings)), faults)
    if polygon is None:
        found = [fault.detail for fault in faults.found]
        details = found or [f"{vertices:,} vertices: expected up to {VERTICES:,}"]
        fields = [Field("FilterGeometry.Polygon", detail) for detail in details]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields)
    return polygon


def _inside(area: Polygon, rows: Sequence[DeviceRow]) -> list[DeviceRow]:
    """Those in the area; its boundary is inside."""
    shapely.prepare(area)
    places = np.array([(row.longitude, row.latitude) for row in rows]).reshape(-1, 2)
    inside = shapely.intersects_xy(area, places[:, 0], places[:, 1])
    return [row for row, is_inside in zip(rows, inside.tolist(), strict=True) if is_inside]
