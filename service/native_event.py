"""The native form of a geofence event, the same in answers, mails and messages."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from ingest.timestamps import iso
from service.store.schema import event, tracker

NATIVE_COLUMNS = (
    event.c.event_id,
    event.c.event_type,
    tracker.c.name.label("tracker_name"),
    event.c.collection_name,
    event.c.device_id,
    event.c.geofence_id,
    event.c.sample_time,
    event.c.longitude,
    event.c.latitude,
    event.c.interpolated,
)
"""What `native_event` needs of a row of event joined with its tracker."""


def native_event(row: RowMapping | Mapping[str, Any]) -> dict[str, object]:
    """The event of a row that has NATIVE_COLUMNS (`result.mappings()`), members in the contract's order.

    `interpolated` is among them only where it is true: time and position are between two fixes.
    """
    native: dict[str, object] = {
        "eventId": row["event_id"],
        "eventType": row["event_type"],
        "trackerName": row["tracker_name"],
        "collectionName": row["collection_name"],
        "deviceId": row["device_id"],
        "geofenceId": row["geofence_id"],
        "sampleTime": iso(row["sample_time"]),
        "position": [row["longitude"], row["latitude"]],
    }
    if row["interpolated"]:
        native["interpolated"] = True
    return native
