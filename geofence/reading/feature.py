"""One GeoJSON Feature to one geofence, with every fault that it has."""

import re

import msgspec
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.conditions.conditions import Conditions
from geofence.earth.circle import GREATEST_RADIUS
from geofence.faults import FeatureFaults
from geofence.geofence import Geofence
from geofence.reading.feature_conditions import read_conditions
from geofence.reading.geofence_properties import refuse_geofence_properties
from geofence.reading.json_values import ABSENT, shown, value_of
from geofence.reading.overlooked import refuse_crossing, refuse_misplaced, refuse_near_names
from geofence.reading.rings import read_multipolygon, read_point, read_polygon

IDENTIFIER = re.compile(r"[-.\w]{1,100}")
EXPECTED_IDENTIFIER = "expected 1 to 100 letters, digits, '-', '.' or '_'"

DEEPEST = 64
"""Levels of nesting in properties."""


def read_feature(
    document: msgspec.Raw | bytes,
    number: int | None,
    geofence_id: str | None = None,
    *,
    accepted: bool = False,
) -> tuple[Geofence | None, FeatureFaults]:
    """The geofence of a Feature, or None beside its faults.

    `number` is the feature's in its collection. `geofence_id` is the id that it must have, if it has one;
    without, it must have one of its own. `accepted`: rules that came later than the feature do not refuse it.
    """
    faults = FeatureFaults(number, geofence_id, accepted=accepted)
    try:
        members = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        faults.add("not_a_feature", f"{reading_fault(error)}: expected a GeoJSON Feature")
        return None, faults
    kind = value_of(members.get("type", ABSENT))
    if kind != "Feature":
        faults.add("not_a_feature", f'type is {shown(kind)}: expected "Feature"')
    identifier = _read_id(members.get("id", ABSENT), faults, geofence_id)
    properties = _read_properties(members.get("properties", ABSENT), faults)
    refuse_misplaced(members, "beside the properties", "in them, properties", faults)
    refuse_near_names(properties or {}, faults)
    refuse_crossing(properties or {}, faults)
    refuse_geofence_properties(properties or {}, faults)
    conditions = _read_conditions(properties or {}, faults)
    geometry, radius = _read_geometry(members.get("geometry", ABSENT), properties, faults)
    if faults.found or identifier is None or properties is None or geometry is None:
        return None, faults
    return Geofence(identifier, geometry, radius, properties, conditions), faults


def _read_conditions(properties: dict[str, object], faults: FeatureFaults) -> Conditions:
    """The conditions. Where a feature from before there was one has another thing there, it is none."""
    return read_conditions(properties, FeatureFaults() if faults.accepted else faults)


def _read_id(raw: msgspec.Raw, faults: FeatureFaults, expected: str | None) -> str | None:
    identifier = value_of(raw)
    if identifier is None:
        if expected is None:
            faults.add("id", f"feature without an id: {EXPECTED_IDENTIFIER}")
        return expected
    if not isinstance(identifier, str):
        quoted = f', for example "{identifier}"' if type(identifier) is int else ""
        faults.add("id", f"id {shown(identifier)} is not a text: {EXPECTED_IDENTIFIER}{quoted}")
        return None
    if IDENTIFIER.fullmatch(identifier) is None:
        faults.add("id", f"id {shown(identifier)}: {EXPECTED_IDENTIFIER}")
        return None
    if expected not in (None, identifier):
        faults.add("id", f'id is "{identifier}": expected "{expected}" or none')
        return None
    faults.geofence_id = identifier
    return identifier


def _read_properties(raw: msgspec.Raw, faults: FeatureFaults) -> dict[str, object] | None:
    try:
        properties = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        if "out of range" in str(error):
            faults.add("properties", "properties hold a number that no double can hold: expected finite ones")
        else:
            faults.add("properties", f"properties: {reading_fault(error)}: expected an object")
        return None
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        faults.add("properties", f"properties are {shown(properties)}: expected an object")
        return None
    fault = _text_fault(properties)
    if fault is not None:
        faults.add("properties", fault)
        return None
    return properties


def _text_fault(properties: dict[str, object]) -> str | None:
    """What is wrong with texts or nesting anywhere in properties. Lone surrogates have become NUL by now."""
    level: list[object] = [properties]
    for _ in range(DEEPEST):
        if any(isinstance(value, str) and "\0" in value for value in level):
            return "properties hold NUL or a lone surrogate: expected text without"
        objects = [value for value in level if isinstance(value, dict)]
        arrays = [value for value in level if isinstance(value, list)]
        level = [part for value in objects for part in (*value.keys(), *value.values())]
        level += [part for value in arrays for part in value]
        if not level:
            return None
    return f"properties nest deeper than {DEEPEST} levels: expected fewer"


def _read_geometry(
    raw: msgspec.Raw, properties: dict[str, object] | None, faults: FeatureFaults
) -> tuple[Polygon | MultiPolygon | Point | None, float | None]:
    """The geometry, and the radius of a Point; None in place of what has faults."""
    try:
        geometry = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        problem = "null" if raw == ABSENT else reading_fault(error)
        faults.add("geometry", f"geometry: {problem}: {EXPECTED_GEOMETRY}")
        return None, None
    refuse_misplaced(geometry, "in the geometry", "beside it, properties", faults)
    coordinates = geometry.get("coordinates", ABSENT)
    match value_of(geometry.get("type", ABSENT)):
        case "Polygon":
            return read_polygon(coordinates, faults), None
        case "MultiPolygon":
            return read_multipolygon(coordinates, faults), None
        case "Point":
            return read_point(coordinates, faults), _read_radius(properties, faults)
        case other:
            faults.add("geometry", f"geometry type is {shown(other)}: {EXPECTED_GEOMETRY}")
            return None, None


EXPECTED_GEOMETRY = "expected a Polygon, a MultiPolygon, or a Point with properties.radius"


def _read_radius(properties: dict[str, object] | None, faults: FeatureFaults) -> float | None:
    if properties is None:
        return None
    radius = properties.get("radius")
    expected = f"expected metres above 0 and up to {GREATEST_RADIUS:.0f}"
    if radius is None:
        faults.add("radius", f"Point without properties.radius: {expected}")
    elif isinstance(radius, bool) or not isinstance(radius, int | float):
        faults.add("radius", f"radius is {shown(radius)}: {expected}")
    elif not 0 < radius <= GREATEST_RADIUS:
        faults.add("radius", f"radius {shown(radius)}: {expected}")
    else:
        return float(radius)
    return None


def reading_fault(error: ValueError | RecursionError) -> str:
    """Why a text could not be read, in words for its sender."""
    if isinstance(error, RecursionError):
        return "nested too deeply to be read"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return str(error).replace("`", "")
