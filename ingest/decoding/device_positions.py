"""One decoded object judged: a position of a device, or the fault that keeps it from being one."""

import sys
from dataclasses import dataclass
from math import nan
from typing import TypeAlias

from ingest import identifiers, timestamps
from ingest.decoding.altitudes import altitude_of
from ingest.decoding.faults import Fault, shown
from ingest.decoding.properties import canonical

Row: TypeAlias = tuple[str, int, float, float, float, float, str]
"""A row of a PositionBatch: device_id, sample_time, longitude, latitude, altitude, accuracy, properties."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one position is measured against; times in ms since the epoch."""

    earliest: int
    latest: int
    property_bytes: int
    depth: int


def device_position(document: object, topic_device: str | None, bounds: Bounds) -> Row:
    """The position in this JSON value, whose members are used up. A member that is null is absent.

    Raises Fault, with the device id as it was sent.
    """
    if type(document) is not dict:
        raise Fault("not_object", shown(document), "expected an object")
    members: dict[str, object] = document
    pop = members.pop
    sent_id = pop("deviceId", None)
    try:
        device_id = _device_id(sent_id, topic_device)
        sample_time = _sample_time(pop("timestamp", None), bounds)
        latitude = pop("latitude", None)
        if not (type(latitude) is float or type(latitude) is int) or not -90 <= latitude <= 90:
            raise _not_degrees("latitude", latitude, 90)
        longitude = pop("longitude", None)
        if not (type(longitude) is float or type(longitude) is int) or not -180 <= longitude <= 180:
            raise _not_degrees("longitude", longitude, 180)
        accuracy = pop("accuracy", None)
        accuracy_metres = nan if accuracy is None else metres(accuracy)
        properties = canonical(members, bounds.property_bytes, bounds.depth) if members else ""
    except Fault as fault:
        fault.device_id = topic_device if fault.reason == "device_mismatch" else sent_id
        raise
    return (
        device_id,
        sample_time,
        float(longitude),
        float(latitude),
        altitude_of(members.get("altitude")),
        accuracy_metres,
        properties,
    )


def _device_id(sent: object, topic_device: str | None) -> str:
    """The id, one object for equal ones as far as possible, so that comparing them is cheap."""
    device_id = topic_device if sent is None else sent
    if device_id is None:
        raise Fault(
            "missing", "no deviceId", f"{identifiers.EXPECTED}, or a topic aircraft/<deviceId>/position"
        )
    if type(device_id) is not str or not identifiers.is_identifier(device_id):
        raise Fault("bad_device_id", f"deviceId {shown(device_id)}", identifiers.EXPECTED)
    if topic_device is not None and device_id != topic_device:
        raise Fault(
            "device_mismatch", f"deviceId {shown(device_id)}", f"expected {shown(topic_device)}, the topic's"
        )
    return sys.intern(device_id)


def _sample_time(timestamp: object, bounds: Bounds) -> int:
    time = timestamps.milliseconds(timestamp)
    if time is None:
        if timestamp is None:
            raise Fault("missing", "no timestamp", timestamps.EXPECTED)
        raise Fault("bad_timestamp", f"timestamp {shown(timestamp)}", timestamps.EXPECTED)
    if time > bounds.latest:
        latest = timestamps.iso(bounds.latest)
        raise Fault(
            "in_future", f"timestamp {shown(timestamp)}", f"expected at most {latest} when it was received"
        )
    if time < bounds.earliest:
        earliest = timestamps.iso(bounds.earliest)
        raise Fault(
            "too_old",
            f"timestamp {shown(timestamp)}",
            f"expected {earliest} or later, as nothing older is kept",
        )
    return time


def _not_degrees(name: str, value: object, most: int) -> Fault:
    expected = f"expected -{most}..{most}"
    if value is None:
        return Fault("missing", f"no {name}", expected)
    number = type(value) is float or type(value) is int
    return Fault(
        f"bad_{name}", f"{name} {shown(value)}", expected if number else f"expected a number {expected[9:]}"
    )


def metres(accuracy: object) -> float:
    """The accuracy in metres. Raises Fault (bad_accuracy)."""
    value = accuracy
    if type(accuracy) is dict and accuracy.keys() == {"Horizontal"}:
        value = accuracy["Horizontal"]
    if (type(value) is float or type(value) is int) and 0 <= value <= sys.float_info.max:
        return float(value)
    sent = shown(accuracy) if value is accuracy else f'{{"Horizontal": {shown(value)}}}'
    raise Fault(
        "bad_accuracy", f"accuracy {sent}", 'expected metres of at least 0, or {"Horizontal": metres}'
    )
