"""The OsmAnd protocol, which Traccar Client and many other apps speak: https://www.traccar.org/osmand/

Two forms: parameters of a URL or a form (`id`, `lat`, `lon`, `timestamp`, ...), where speed is in knots
unless they say another unit; and JSON, of Traccar Client from version 9 on, where it is in m/s.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

import msgspec

from ingest.decoding.decoder import Decode
from ingest.decoding.faults import Fault, shown
from ingest.decoding.translating import (
    Members,
    decode_by,
    device_id_of,
    known_quantity,
    of_device,
    quantity,
)

SPEED_UNITS: Mapping[str, float] = {"kn": 1852 / 3600, "kmh": 1 / 3.6, "mph": 0.44704, "mps": 1.0}
"""What `speedUnit` may be, in metres a second."""

IDS = ("id", "deviceid", "device_id")
RENAMED = {"bearing": "heading", "batt": "batteryLevel", "charge": "charging"}
"""Parameters that we know under another name."""
PLACES = ("latitude", "longitude")
MEASURED = (*PLACES, "accuracy", "altitude")
UNKNOWN = frozenset({"", "nan", "null"})
TRUTHS: Mapping[str, bool] = {"true": True, "false": False}
"""What stands in a parameter, in small letters: what an app does not know, and what holds or does not."""

WHERE = "set Device identifier in the app, or id= in its URL"

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{0,30})?([eE][-+]?[0-9]{1,3})?")
_EXACT = 1 << 53
_WITHOUT_ZONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?")


def payload_of(parameters: Iterable[tuple[str, str]]) -> bytes:
    """Parameters as one JSON object of texts, arrays of them where one is given more than once."""
    document: dict[str, str | list[str]] = {}
    for name, value in parameters:
        before = document.get(name)
        if before is None:
            document[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            document[name] = [before, value]
    return msgspec.json.encode(document)


def decode_parameters(speed_unit: str) -> Decode:
    """Reads what `payload_of` made. speed_unit: one of SPEED_UNITS."""
    return decode_by(lambda members: _of_parameters(members, SPEED_UNITS[speed_unit]))


def decode_json(device: str | None) -> Decode:
    """Reads the JSON form. device: its id, where the URL names one and the message does not."""
    return decode_by(lambda members: _of_json(members, device))


def _of_parameters(sent: Members, metres_a_second: float) -> Iterator[Members]:
    device_id = _device_id(sent)
    with of_device(device_id):
        place = _place(sent)
        members = {RENAMED.get(name, name): _value(value) for name, value in sent.items()}
        members["timestamp"] = _timestamp(sent.get("timestamp"))
        members["speed"] = known_quantity(members, "speed", "the unit of speedUnit", metres_a_second)
        members["heading"] = known_quantity(members, "heading", "degrees")
        members["altitude"] = quantity(members, "altitude", "metres")
        members["batteryLevel"] = known_quantity(members, "batteryLevel", "percent")
    yield {**members, **place, "deviceId": device_id}


def _device_id(sent: Members) -> str:
    named = [value for value in (sent.pop(name, None) for name in IDS) if value is not None]
    return device_id_of(named[0] if named else None, "id", WHERE)


def _place(sent: Members) -> Members:
    """From `lat` and `lon`, or `location`, which has both."""
    pair = [sent.pop("lat", None), sent.pop("lon", None)]
    location = sent.pop("location", None)
    if type(location) is str:
        pair = list(location.split(","))
        if len(pair) != 2:
            raise Fault("bad_latitude", f"location {shown(location)}", "expected latitude,longitude")
    return {name: _value(value) for name, value in zip(PLACES, pair, strict=True)}


def _value(value: object) -> object:
    """The number or truth that a parameter's text is; None where it says nothing; else itself.

    What has no place in a double to the last digit, as the number of a driver may be, stays a text.
    """
    if type(value) is not str:
        return value
    text = value.strip()
    if text.lower() in UNKNOWN:
        return None
    if text.lower() in TRUTHS:
        return TRUTHS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return value
    number = float(text)
    if text.lstrip("-").isdigit():
        return int(text) if abs(number) < _EXACT else value
    return number if isfinite(number) else value


def _timestamp(sent: object) -> object:
    """Epoch seconds or milliseconds, ISO 8601, or a date and time without zone, which is UTC."""
    if type(sent) is str and _WITHOUT_ZONE.fullmatch(sent):
        return f"{sent}Z"
    return _value(sent)


def _of_json(sent: Members, device: str | None) -> Iterator[Members | Fault]:
    device_id = device_id_of(sent.get("device_id", device), "device_id", WHERE)
    locations = sent.get("location")
    for location in locations if isinstance(locations, list) else [locations]:
        try:
            with of_device(device_id):
                members = _of_location(location, device_id)
        except Fault as fault:
            yield fault
        else:
            yield members


def _of_location(location: object, device_id: str) -> Members:
    if not isinstance(location, dict):
        raise Fault("missing", "no location", 'expected {"location": {"timestamp": ..., "coords": {...}}}')
    coords, battery, activity = (_object(location, name) for name in ("coords", "battery", "activity"))
    location.pop("_", None)  # the same once more, as parameters
    level = known_quantity(battery, "level", "parts of 1")
    position: Members = {
        "deviceId": device_id,
        "timestamp": location.pop("timestamp", None),
        "speed": known_quantity(coords, "speed", "m/s"),
        "heading": known_quantity(coords, "heading", "degrees"),
        "batteryLevel": None if level is None else round(level * 100, 3),
        "charging": battery.get("is_charging"),
        "activity": activity.get("type"),
    }
    position.update((name, coords.pop(name, None)) for name in MEASURED)
    return {**_object(location, "extras"), **location, **coords, **position}


def _object(members: Members, name: str) -> Members:
    """Takes an object out, empty where there is none."""
    value = members.pop(name, None)
    return value if isinstance(value, dict) else {}
