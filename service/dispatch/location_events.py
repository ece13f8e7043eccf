"""Events spelled and typed as Amazon Location puts them on its bus, so that its users' rules go on working.

https://docs.aws.amazon.com/location/latest/developerguide/location-events.html
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ingest.timestamps import iso
from service.store.reading.alert_events import WholeEvent
from service.store.reading.position_updates import PositionUpdate

GEOFENCE_EVENT: Final = "Location Geofence Event"
POSITION_EVENT: Final = "Location Device Position Event"

_properties = msgspec.json.Decoder(dict[str, msgspec.Raw])


def geofence_event(event: WholeEvent) -> dict[str, Any]:
    """The `detail` of a GEOFENCE_EVENT.

    EventId is ours, by which receivers know a repeated one. So are the type DWELL and Interpolated, which
    is there where SampleTime and Position are between two fixes; all else is of the later one.
    """
    told = event.told
    return {
        "EventType": told.event_type,
        "GeofenceId": told.geofence_id,
        "DeviceId": told.device_id,
        "SampleTime": iso(told.sample_time),
        "Position": [told.longitude, told.latitude],
        **_where_known(event.accuracy, event.position_properties),
        **_named("GeofenceProperties", event.geofence_properties),
        "EventId": event.native["eventId"],
        **({"Interpolated": True} if told.interpolated else {}),
    }


def position_event(update: PositionUpdate) -> dict[str, Any]:
    """The `detail` of a POSITION_EVENT. A repeated one is the same device and SampleTime."""
    return {
        "EventType": "UPDATE",
        "TrackerName": update.tracker_name,
        "DeviceId": update.device_id,
        "SampleTime": iso(update.sample_time),
        "ReceivedTime": iso(update.received_time),
        "Position": [update.longitude, update.latitude],
        **_where_known(update.accuracy, update.properties),
    }


def _where_known(accuracy: float | None, properties: str) -> dict[str, Any]:
    horizontal = {} if accuracy is None else {"Accuracy": {"Horizontal": accuracy}}
    return {**horizontal, **_named("PositionProperties", properties)}


def _named(name: str, properties: str) -> dict[str, Mapping[str, str]]:
    texts = {key: _text(raw) for key, raw in _properties.decode(properties).items()} if properties else {}
    return {name: texts} if texts else {}


def _text(raw: msgspec.Raw) -> str:
    """Amazon's properties are strings: a string as it is, anything else as its JSON."""
    written = bytes(raw)
    return msgspec.json.decode(written, type=str) if written.startswith(b'"') else written.decode()
