"""Coordinates in GeoJSON to polygons, with every fault of every ring.

Faults are found in four steps, each taken only where the one before found none: numbers within bounds
that close a ring, edges that leave no doubt which way around the Earth they go, rings that do not cross
themselves, and rings that lie to each other as a polygon's must.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.faults import FeatureFaults
from geofence.reading.long_edges import refuse_long_edges
from geofence.reading.ring_faults import Coordinates, refuse_crossing, refuse_open, refuse_out_of_bounds
from geofence.reading.ring_relations import fits_together, ring_name


def read_polygon(coordinates: msgspec.Raw, faults: FeatureFaults) -> Polygon | None:
    """The polygon of a "Polygon" geometry's coordinates, or None where faults were added."""
    misplaced = POLYGON_NESTING.get(_nesting(coordinates))
    if misplaced is not None:
        faults.add("coordinates", misplaced)
        return None
    return _read_polygon(coordinates, 0, faults)


def read_multipolygon(coordinates: msgspec.Raw, faults: FeatureFaults) -> MultiPolygon | None:
    """The polygons of a "MultiPolygon" geometry's coordinates, or None where faults were added."""
    misplaced = MULTIPOLYGON_NESTING.get(_nesting(coordinates))
    if misplaced is not None:
        faults.add("coordinates", misplaced)
        return None
    parts = _array(coordinates, "coordinates: expected an array of polygons", faults)
    if parts is None:
        return None
    if not parts:
        faults.add("too_few", "coordinates are empty: expected at least one polygon")
        return None
    polygons = [_read_polygon(part, number, faults) for number, part in _while_few(parts, faults)]
    sound = [polygon for polygon in polygons if polygon is not None]
    if len(sound) < len(parts):
        return None
    multipolygon = MultiPolygon(sound)
    return multipolygon if fits_together(multipolygon, 0, faults) else None


def read_point(coordinates: msgspec.Raw, faults: FeatureFaults) -> Point | None:
    """The point of a "Point" geometry's coordinates, or None where a fault was added."""
    try:
        position = msgspec.json.decode(coordinates, type=tuple[float, ...])
    except (ValueError, RecursionError):
        faults.add("coordinates", f"coordinates: {EXPECTED_POSITION}")
        return None
    if len(position) < 2:
        faults.add("coordinates", f"coordinates of fewer than two numbers: {EXPECTED_POSITION}")
        return None
    before = len(faults.found)
    refuse_out_of_bounds(np.array([position[:2]]), None, faults)
    return Point(position[:2]) if len(faults.found) == before else None


EXPECTED_POSITION = "expected [longitude, latitude], two numbers of degrees"

POLYGON_NESTING = {
    2: "coordinates are a ring: expected an array of rings; put the ring in one more pair of brackets",
    4: 'coordinates nest as those of a MultiPolygon: expected an array of rings; set type to "MultiPolygon"',
}
MULTIPOLYGON_NESTING = {
    2: "coordinates are a ring: expected an array of polygons; put the ring in two more pairs of brackets",
    3: 'coordinates nest as those of a Polygon: expected an array of polygons; set type to "Polygon"',
}
"""What is wrong with coordinates whose first number stands in so many brackets."""

BEFORE_NUMBER = re.compile(rb"[\[\s]*(?=[-0-9])")


def _nesting(raw: msgspec.Raw) -> int:
    """In how many brackets the first number stands; 0 where something else comes first."""
    match = BEFORE_NUMBER.match(raw)
    return 0 if match is None else match[0].count(b"[")


MOST_RING_FAULTS = 1000
"""In one feature: more would tell nobody more, and finding where rings cross takes its time."""


def _while_few(raws: Sequence[msgspec.Raw], faults: FeatureFaults) -> Iterator[tuple[int, msgspec.Raw]]:
    """Items with their numbers, until a feature has so many faults that reading it further helps nobody."""
    for number, raw in enumerate(raws):
        if len(faults.found) >= MOST_RING_FAULTS:
            if faults.found[-1].reason != "faults":
                faults.add("faults", f"reading of this feature stopped after {len(faults.found)} faults")
            return
        yield number, raw


def _read_polygon(raw: msgspec.Raw, number: int, faults: FeatureFaults) -> Polygon | None:
    raw_rings = _array(raw, f"polygon {number}: expected an array of rings", faults)
    if raw_rings is None:
        return None
    if not raw_rings:
        faults.add("too_few", f"polygon {number} is empty: expected its shell, then its holes")
        return None
    rings = [_read_ring(ring, ring_name(number, at), faults) for at, ring in _while_few(raw_rings, faults)]
    sound = [ring for ring in rings if ring is not None]
    if len(sound) < len(raw_rings):
        return None
    if len(sound) == 1:
        return sound[0]
    polygon = Polygon(sound[0].exterior, [hole.exterior for hole in sound[1:]])
    return polygon if fits_together(polygon, number, faults) else None


def _array(raw: msgspec.Raw, expected: str, faults: FeatureFaults) -> list[msgspec.Raw] | None:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        faults.add("coordinates", expected)
        return None


def _read_ring(raw: msgspec.Raw, ring: str, faults: FeatureFaults) -> Polygon | None:
    """The area in a ring, or None where faults were added."""
    coordinates = _read_positions(raw, ring, faults)
    if coordinates is None:
        return None
    before = len(faults.found)
    refuse_open(coordinates, ring, faults)
    refuse_out_of_bounds(coordinates, ring, faults)
    if len(faults.found) == before:
        refuse_long_edges(coordinates, ring, faults)
    if len(faults.found) > before:
        return None
    area = Polygon(coordinates)
    if shapely.is_valid(area):
        return area
    refuse_crossing(area, ring, faults)
    return None


def _read_positions(raw: msgspec.Raw, ring: str, faults: FeatureFaults) -> Coordinates | None:
    try:
        positions = msgspec.json.decode(raw, type=list[tuple[float, ...]])
    except (ValueError, RecursionError) as error:
        at = re.search(r"`\$\[(\d+)\]", str(error))
        detail = "ring: expected an array of positions" if at is None else f"position: {EXPECTED_POSITION}"
        endless = "Number out of range" in str(error)
        detail += ", each finite and no greater than a double can hold" if endless else ""
        faults.add("coordinates", detail, ring, None if at is None else int(at[1]))
        return None
    short = next((at for at, position in enumerate(positions) if len(position) < 2), None)
    if short is not None:
        detail = f"position of fewer than two numbers: {EXPECTED_POSITION}"
        faults.add("coordinates", detail, ring, short)
        return None
    return np.array([position[:2] for position in positions], np.float64).reshape(-1, 2)
