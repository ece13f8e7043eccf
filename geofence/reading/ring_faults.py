"""What is wrong with one ring by itself, and what would repair it."""

from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon

from geofence.faults import FeatureFaults

Coordinates = NDArray[np.float64]
"""n x 2: longitude and latitude in degrees."""

LEAST_POSITIONS = 4
"""In a ring: a triangle, closed."""

NEARLY_CLOSED = 1e-6
"""Degrees between a last and a first position that were meant to be one: a tenth of a metre."""


def refuse_open(coordinates: Coordinates, ring: str, faults: FeatureFaults) -> None:
    """Add a fault where a ring has too few positions or does not end where it began."""
    count = len(coordinates)
    closed = count > 0 and bool(np.all(coordinates[0] == coordinates[-1]))
    if count < LEAST_POSITIONS:
        repair = WITHOUT_AREA
        if count == LEAST_POSITIONS - 1 and not closed:
            repair = f"add {text_of(coordinates[0])} as last position"
        expected = f"expected {LEAST_POSITIONS} or more, the last equal to the first"
        faults.add("too_few", f"ring with {count} positions: {expected}; {repair}", ring)
    elif not closed:
        first, last = text_of(coordinates[0]), text_of(coordinates[-1])
        near = np.abs(coordinates[0] - coordinates[-1]).max() <= NEARLY_CLOSED
        repair = f"make {first} the last position" if near else f"add {first} as last position"
        expected = f"expected its first position again; {repair}"
        faults.add("not_closed", f"ring ends at {last}: {expected}", ring, count - 1)


WITHOUT_AREA = "for a place without an area send a Point with properties.radius"


def refuse_out_of_bounds(coordinates: Coordinates, ring: str | None, faults: FeatureFaults) -> None:
    """Add a fault where positions lie beyond 180 degrees of longitude or 90 of latitude."""
    outside = np.flatnonzero(_out_of_bounds(coordinates)).tolist()
    if outside:
        longitude, latitude = coordinates[outside[0]].tolist()
        problem = f"longitude {longitude:.10g}: expected -180..180"
        if abs(longitude) <= LONGITUDE:
            problem = f"latitude {latitude:.10g}: expected -90..90 (longitude comes first)"
        others = len(outside) - 1
        more = ""
        if others:
            more = f" (beyond bounds: this vertex and {others} other{'s'[: others > 1]} of the ring)"
        repair = _repair_of_bounds(coordinates, longitude, latitude)
        vertex = None if ring is None else outside[0]
        faults.add("out_of_bounds", f"{problem}{more}; {repair}", ring, vertex)


LONGITUDE, LATITUDE = 180, 90
AROUND = 360


def _out_of_bounds(coordinates: Coordinates) -> NDArray[np.bool_]:
    outside: NDArray[np.bool_] = np.abs(coordinates) > (LONGITUDE, LATITUDE)
    return outside[:, 0] | outside[:, 1]


def _repair_of_bounds(coordinates: Coordinates, longitude: float, latitude: float) -> str:
    """What would bring all positions within bounds; the longitude and latitude are the first's beyond."""
    beyond_pole = np.abs(coordinates[:, 1]) > LATITUDE
    if not _out_of_bounds(coordinates[:, ::-1]).any():
        swap = f"swap longitude and latitude: [{latitude:.10g}, {longitude:.10g}] would fit"
        return swap if beyond_pole.all() else f"{swap}; or {END_AT_POLE}"
    if np.abs(coordinates).max() > LONGITUDE + AROUND:
        return "send degrees on WGS84, not metres of a map projection"
    if beyond_pole.any():
        return END_AT_POLE
    turn = AROUND if longitude < 0 else -AROUND
    if not _out_of_bounds(coordinates + np.array([turn, 0])).any():
        change = "add 360 to" if turn > 0 else "subtract 360 from"
        return f"{change} each longitude: {longitude + turn:.10g} would fit"
    return (
        f"cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says: beyond it "
        f"{longitude:.10g} is {longitude + turn:.10g}"
    )


END_AT_POLE = "end the ring at the pole, latitude -90 or 90"


def text_of(position: Coordinates) -> str:
    """A position as JSON, in as few digits as give the same numbers again."""
    return f"[{', '.join(str(degrees).removesuffix('.0') for degrees in position.tolist())}]"


def refuse_crossing(area: Polygon, ring: str, faults: FeatureFaults) -> None:
    """Add the fault of a closed ring within bounds that GEOS holds invalid."""
    if shapely.convex_hull(area).geom_type != "Polygon":
        expected = "expected at least three different vertices, not all on one line"
        faults.add("too_few", f"ring without an area: {expected}; {WITHOUT_AREA}", ring, 0)
        return
    coordinates = shapely.get_coordinates(area)
    _, location = invalidity(area)
    first, second = _crossing_edges(coordinates, location)
    problem = (
        f"ring crosses or touches itself near {text_of(location)}, where edges from vertex {first} to "
        f"{first + 1} and from {second} to {second + 1} meet: expected a ring that does not"
    )
    repair = _repair_of_crossing(coordinates, first, second, location)
    faults.add("self_crossing", f"{problem}; {repair}", ring, first)


def invalidity(geometry: shapely.Geometry) -> tuple[str, Coordinates]:
    """Why GEOS holds a geometry invalid, and near which longitude and latitude."""
    reason, _, place = str(shapely.is_valid_reason(geometry)).partition("[")
    if not place:
        return reason, shapely.get_coordinates(geometry)[0]
    return reason, np.array(place.rstrip("]").split()[:2], np.float64)


MOST_CANDIDATES = 8
"""Edges looked at for the two that meet: more than commonly come together in one place."""


def _crossing_edges(coordinates: Coordinates, location: Coordinates) -> tuple[int, int]:
    """The edges of a ring that meet near a location where they should not, by their first vertices.

    Neighbours, of course, share a vertex; they count only where they share more. Edges between equal
    vertices are passed over.
    """
    edges = np.flatnonzero((coordinates[1:] != coordinates[:-1]).any(axis=1))
    away = distances(coordinates, location)[edges]
    near = sorted(np.argsort(away, kind="stable")[:MOST_CANDIDATES].tolist())
    one, other = np.array(list(combinations(near, 2))).T
    lines = shapely.linestrings(np.stack([coordinates[:-1], coordinates[1:]], axis=1)[edges])
    meeting = shapely.intersection(lines[one], lines[other])
    neighbours = (other - one == 1) | (other - one == len(edges) - 1)
    wrong = ~shapely.is_empty(meeting) & (~neighbours | (shapely.length(meeting) > 0))
    with np.errstate(invalid="ignore"):  # GEOS divides by the square of a length, which may be too small
        from_location = np.nan_to_num(shapely.distance(meeting, Point(location)), nan=0.0)
    pair = int(np.argmin(np.where(wrong, from_location, np.inf)))
    return int(edges[one[pair]]), int(edges[other[pair]])


def _repair_of_crossing(coordinates: Coordinates, first: int, second: int, location: Coordinates) -> str:
    ring = coordinates[:-1]
    turned = ring.copy()
    turned[first + 1 : second + 1] = ring[first + 1 : second + 1][::-1]
    if _cross(coordinates, first, second) and _valid_ring(turned):
        if second == first + 2:
            return f"exchange vertices {first + 1} and {second}"
        return f"take vertices {first + 1} to {second} in the other order"
    for vertex in (second, (second + 1) % len(ring), first + 1, first):
        if _is_spike(ring, vertex) and _valid_ring(np.delete(ring, vertex, axis=0)):
            return f"remove vertex {vertex}"
    return f"make each loop that begins and ends at {text_of(location)} a polygon, or a hole, of its own"


def _cross(coordinates: Coordinates, first: int, second: int) -> bool:
    """Whether two edges meet at a point between the ends of both."""
    one, other = (shapely.LineString(coordinates[edge : edge + 2]) for edge in (first, second))
    return bool(shapely.crosses(one, other))


def _is_spike(open_ring: Coordinates, vertex: int) -> bool:
    """Whether the ring turns back at a vertex, along the edge on which it came."""
    come = open_ring[vertex] - open_ring[vertex - 1]
    go = open_ring[(vertex + 1) % len(open_ring)] - open_ring[vertex]
    return bool(come[0] * go[1] == come[1] * go[0] and come @ go < 0)


def _valid_ring(open_ring: Coordinates) -> bool:
    return len(open_ring) >= LEAST_POSITIONS - 1 and bool(shapely.is_valid(Polygon(open_ring)))


def distances(coordinates: Coordinates, location: Coordinates) -> NDArray[np.float64]:
    """Degrees from a location to each of a ring's edges."""
    start, along = coordinates[:-1], np.diff(coordinates, axis=0)
    length_squared = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip(((location - start) * along).sum(axis=1) / length_squared, 0, 1)
    away = start + share[:, None] * along - location
    distance: NDArray[np.float64] = np.hypot(away[:, 0], away[:, 1])
    return distance
