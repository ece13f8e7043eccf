"""Coordinates in GeoJSON to polygons, with every fault of every ring.

Faults are found in three steps, each taken only where the one before found none: numbers within bounds
that close a ring, rings that do not cross themselves, and rings that lie to each other as a polygon's
must.
"""

import re
from collections.abc import Iterator

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.faults import FeatureFaults

Coordinates = NDArray[np.float64]
"""n x 2: longitude and latitude in degrees."""

LEAST_POSITIONS = 4
"""In a ring: a triangle, closed."""


def read_polygon(coordinates: msgspec.Raw, faults: FeatureFaults) -> Polygon | None:
    """The polygon of a "Polygon" geometry's coordinates, or None where faults were added."""
    return _read_polygon(coordinates, 0, faults)


def read_multipolygon(coordinates: msgspec.Raw, faults: FeatureFaults) -> MultiPolygon | None:
    """The polygons of a "MultiPolygon" geometry's coordinates, or None where faults were added."""
    parts = _array(coordinates, "coordinates: expected an array of polygons", faults)
    if parts is None:
        return None
    if not parts:
        faults.add("too_few", "coordinates are empty: expected at least one polygon")
        return None
    polygons = [_read_polygon(part, number, faults) for number, part in enumerate(parts)]
    sound = [polygon for polygon in polygons if polygon is not None]
    if len(sound) < len(polygons):
        return None
    multipolygon = MultiPolygon(sound)
    return multipolygon if _fits_together(multipolygon, 0, faults) else None


def read_point(coordinates: msgspec.Raw, faults: FeatureFaults) -> Point | None:
    """The point of a "Point" geometry's coordinates, or None where a fault was added."""
    try:
        position = msgspec.json.decode(coordinates, type=tuple[float, ...])
    except (ValueError, RecursionError):
        faults.add("coordinates", "coordinates: expected [longitude, latitude] in degrees")
        return None
    if len(position) < 2:
        faults.add("coordinates", f"coordinates of fewer than two numbers: {EXPECTED_POSITION}")
        return None
    outside = _out_of_bounds(np.array([position[:2]]))
    if len(outside):
        faults.add("out_of_bounds", _bounds_sentence(*position[:2]))
        return None
    return Point(position[:2])


EXPECTED_POSITION = "expected [longitude, latitude]"


def _read_polygon(raw: msgspec.Raw, number: int, faults: FeatureFaults) -> Polygon | None:
    raw_rings = _array(raw, f"polygon {number}: expected an array of rings", faults)
    if raw_rings is None:
        return None
    if not raw_rings:
        faults.add("too_few", f"polygon {number} is empty: expected its shell, then its holes")
        return None
    rings = [_read_ring(ring, ring_name(number, at), faults) for at, ring in enumerate(raw_rings)]
    sound = [ring for ring in rings if ring is not None]
    if len(sound) < len(rings):
        return None
    if len(sound) == 1:
        return sound[0]
    polygon = Polygon(sound[0].exterior, [hole.exterior for hole in sound[1:]])
    return polygon if _fits_together(polygon, number, faults) else None


def ring_name(polygon: int, ring: int) -> str:
    """How a fault names a ring; both numbers count from 0, and ring 0 is the shell."""
    return f"polygon {polygon} ring {ring}"


def _array(raw: msgspec.Raw, expected: str, faults: FeatureFaults) -> list[msgspec.Raw] | None:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        faults.add("coordinates", expected)
        return None


def _read_ring(raw: msgspec.Raw, ring: str, faults: FeatureFaults) -> Polygon | None:
    """The area in a ring, or None where faults were added."""
    try:
        positions = msgspec.json.decode(raw, type=list[tuple[float, ...]])
    except (ValueError, RecursionError) as error:
        at = re.search(r"`\$\[(\d+)\]", str(error))
        detail = "ring: expected an array of positions" if at is None else f"position: {EXPECTED_POSITION}"
        too_great = "Number out of range" in str(error)
        detail += ", each a number in degrees that a double can hold" if too_great else ""
        faults.add("coordinates", detail, ring, None if at is None else int(at[1]))
        return None
    short = next((at for at, position in enumerate(positions) if len(position) < 2), None)
    if short is not None:
        detail = f"position of fewer than two numbers: {EXPECTED_POSITION}"
        faults.add("coordinates", detail, ring, short)
        return None
    coordinates = np.array([position[:2] for position in positions], np.float64).reshape(-1, 2)
    before = len(faults.found)
    _refuse_open(coordinates, ring, faults)
    _refuse_out_of_bounds(coordinates, ring, faults)
    if len(faults.found) > before:
        return None
    area = Polygon(coordinates)
    if shapely.is_valid(area):
        return area
    _refuse_crossing(area, ring, faults)
    return None


def _refuse_open(coordinates: Coordinates, ring: str, faults: FeatureFaults) -> None:
    last = len(coordinates) - 1
    if last + 1 < LEAST_POSITIONS:
        expected = f"expected {LEAST_POSITIONS} or more, the last equal to the first"
        faults.add("too_few", f"ring with {last + 1} positions: {expected}", ring)
    elif np.any(coordinates[0] != coordinates[last]):
        expected = f"expected its first position, {_text(coordinates[0])}"
        faults.add("not_closed", f"ring ends at {_text(coordinates[last])}: {expected}", ring, last)


def _refuse_out_of_bounds(coordinates: Coordinates, ring: str, faults: FeatureFaults) -> None:
    outside = _out_of_bounds(coordinates).tolist()
    if outside:
        detail = _bounds_sentence(*coordinates[outside[0]])
        more = f"; so are {len(outside) - 1} more vertices of this ring" if len(outside) > 1 else ""
        faults.add("out_of_bounds", detail + more, ring, outside[0])


def _out_of_bounds(coordinates: Coordinates) -> NDArray[np.intp]:
    return np.flatnonzero((np.abs(coordinates) > (180, 90)).any(axis=1))


def _bounds_sentence(longitude: float, latitude: float) -> str:
    if abs(longitude) > 180:
        return f"longitude {longitude:.10g}: expected -180..180"
    return f"latitude {latitude:.10g}: expected -90..90 (longitude comes first)"


def _text(position: Coordinates) -> str:
    return msgspec.json.encode(position.tolist()).decode()


def _refuse_crossing(area: Polygon, ring: str, faults: FeatureFaults) -> None:
    reason, location = _invalidity(area)
    if reason == "Too few points in geometry component":
        faults.add("too_few", "ring without an area: expected at least three different vertices", ring, 0)
        return
    edges = _nearest_edges(shapely.get_coordinates(area), location)
    meeting = " and ".join(f"from vertex {edge} to {edge + 1}" for edge in edges)
    problem = f"ring crosses or touches itself near {_text(location)}, where edges {meeting} meet"
    faults.add("self_crossing", f"{problem}: expected a ring that does not", ring, edges[0])


def _fits_together(geometry: Polygon | MultiPolygon, number: int, faults: FeatureFaults) -> bool:
    """Whether simple rings lie to each other as they must: holes in their shell, nothing overlapping.

    `number` is that of the geometry's first polygon.
    """
    if shapely.is_valid(geometry):
        return True
    reason, location = _invalidity(geometry)
    ring, vertex = _nearest_vertex(geometry, number, location)
    word, sentence = RING_RELATIONS.get(reason, ("overlap", "rings cross or touch along a line"))
    faults.add(word, f"{sentence} near {_text(location)}: {EXPECTED_RINGS}", ring, vertex)
    return False


EXPECTED_RINGS = "expected holes inside their shell, and holes and polygons that share no more than points"

RING_RELATIONS = {
    "Hole lies outside shell": ("hole_outside", "a hole lies outside its shell"),
    "Holes are nested": ("overlap", "a hole lies within another hole"),
    "Nested shells": ("overlap", "a polygon lies within another"),
    "Interior is disconnected": ("disconnected", "holes cut the polygon into pieces"),
    "Duplicate Rings": ("overlap", "a ring occurs twice"),
}
"""What GEOS says, and how we say it."""


def _invalidity(geometry: Polygon | MultiPolygon) -> tuple[str, Coordinates]:
    """Why GEOS holds a geometry invalid, and near which longitude and latitude."""
    reason = str(shapely.is_valid_reason(geometry))
    match = re.fullmatch(r"(.*)\[(\S+) (\S+)\]", reason)
    if match is None:
        return reason, shapely.get_coordinates(geometry)[0]
    return match[1], np.array([float(match[2]), float(match[3])])


def _nearest_edges(coordinates: Coordinates, location: Coordinates) -> list[int]:
    """Two edges nearest to a location, as the numbers of the vertices where they begin, ascending."""
    return sorted(np.argsort(_distances(coordinates, location), kind="stable")[:2].tolist())


def _nearest_vertex(geometry: Polygon | MultiPolygon, number: int, location: Coordinates) -> tuple[str, int]:
    """The last of the rings nearest to a location, and where its nearest edge begins."""
    nearest: list[tuple[float, str, int]] = []
    for name, coordinates in _rings(geometry, number):
        distances = _distances(coordinates, location)
        edge = int(np.argmin(distances))
        nearest.append((float(distances[edge]), name, edge))
    least = min(distance for distance, _, _ in nearest)
    return next((name, edge) for distance, name, edge in reversed(nearest) if distance <= least + 1e-9)


def _rings(geometry: Polygon | MultiPolygon, first: int) -> Iterator[tuple[str, Coordinates]]:
    for number, part in enumerate(shapely.get_parts(geometry), first):
        for at, ring in enumerate([part.exterior, *part.interiors]):
            yield ring_name(number, at), shapely.get_coordinates(ring)


def _distances(coordinates: Coordinates, location: Coordinates) -> NDArray[np.float64]:
    """Degrees from a location to each of a ring's edges."""
    start, along = coordinates[:-1], np.diff(coordinates, axis=0)
    length_squared = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip(((location - start) * along).sum(axis=1) / length_squared, 0, 1)
    away = start + share[:, None] * along - location
    distance: NDArray[np.float64] = np.hypot(away[:, 0], away[:, 1])
    return distance
