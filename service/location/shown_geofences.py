"""Geofences as Amazon Location gives them back: in the format in which they were put.

One that came by another way, as GeoJSON, is shown as what it would have been put as: its rings wound as they
must be there, and of its properties those that fit, as texts, the first three. Conditions (altitudes,
devices, schedules, stays) have no place there, so that such a geofence looks wider than it is.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import shapely

from geofence.reading.geofence_properties import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_PAIRS,
    geofence_properties,
)
from geofence.reading.overlooked import ASKED
from service.store.reading.geofences import GeofenceRow

ACTIVE: Final = "ACTIVE"
"""Each geofence is from the commit on that puts it."""


class _Geometry(msgspec.Struct):
    type: str
    coordinates: list[Any]


class _Feature(msgspec.Struct):
    geometry: _Geometry
    properties: dict[str, Any]


_features = msgspec.json.Decoder(_Feature)
_given = msgspec.json.Decoder(dict[str, Any])


def shown_geofence(row: GeofenceRow) -> dict[str, Any]:
    """A geofence, by the names of the model."""
    feature = _features.decode(row.feature)
    properties = shown_properties(feature.properties)
    return {
        "GeofenceId": row.geofence_id,
        "Geometry": _geometry(feature) if row.given is None else _given.decode(row.given),
        "Status": ACTIVE,
        "CreateTime": row.created_time,
        "UpdateTime": row.updated_time,
        **({"GeofenceProperties": properties} if properties else {}),
    }


def shown_properties(properties: Mapping[str, object]) -> dict[str, str]:
    """The GeofenceProperties of a geofence by its properties."""
    own = geofence_properties(properties)
    if own is not None:
        return own
    texts = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in properties.items()
        if name not in ASKED and value is not None
    }
    fitting = [
        (name, text)
        for name, text in texts.items()
        if 1 <= len(name) <= LONGEST_NAME and 1 <= len(text) <= LONGEST_TEXT
    ]
    return dict(fitting[:MOST_PAIRS])


def _geometry(feature: _Feature) -> dict[str, Any]:
    coordinates = feature.geometry.coordinates
    match feature.geometry.type:
        case "Point":
            return {"Circle": {"Center": coordinates, "Radius": feature.properties["radius"]}}
        case "Polygon":
            return {"Polygon": _wound(coordinates)}
        case _:
            return {"MultiPolygon": [_wound(rings) for rings in coordinates]}


def _wound(rings: list[list[list[float]]]) -> list[list[list[float]]]:
    """The exterior ring, which is the first, counter-clockwise, the others clockwise."""
    lines = [shapely.linearrings(ring) for ring in rings]
    return [
        ring if bool(shapely.is_ccw(line)) == (at == 0) else ring[::-1]
        for at, (ring, line) in enumerate(zip(rings, lines, strict=True))
    ]
