"""How rings lie to each other in a polygon or several: what is wrong, and what would repair it."""

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geofence.faults import FeatureFaults
from geofence.reading.ring_faults import Coordinates, distances, invalidity, text_of


def ring_name(polygon: int, ring: int) -> str:
    """How a fault names a ring; both numbers count from 0, and ring 0 is the shell."""
    return f"polygon {polygon} ring {ring}"


def fits_together(geometry: Polygon | MultiPolygon, number: int, faults: FeatureFaults) -> bool:
    """Whether simple rings lie to each other as they must: holes in their shell, nothing overlapping.

    `number` is that of the geometry's first polygon. Where they do not, a fault is added.
    """
    if not faults.accepted and _crowded(geometry):
        faults.add("crowded", CROWDED)
        return False
    try:
        if shapely.is_valid(geometry):
            return True
        reason, location = invalidity(geometry)
    except shapely.GEOSException:  # numbers so small that GEOS's products of them are 0
        faults.add("too_small", TOO_SMALL)
        return False
    nearest = _nearest_rings(geometry, number, location)
    (polygon, ring, vertex), (other_polygon, other_ring, _) = nearest[0], nearest[1]
    name, other = ring_name(polygon, ring), ring_name(other_polygon, other_ring)
    relation = RING_RELATIONS.get(reason)
    if relation is None:
        kind = (polygon == other_polygon, 0 in (ring, other_ring))
        relation = ("overlap", f"this ring and {other} cross or run along each other", CROSSING_REPAIRS[kind])
    word, problem, repair = relation
    faults.add(word, f"{problem} near {text_of(location)}: {EXPECTED}; {repair}", name, vertex)
    return False


MOST_MEETINGS = 10_000_000
"""What takes GEOS about a second and a half: it compares rings whose boxes meet, edge by edge."""
RINGS_AT_ONCE = 64
"""Looked up among all, so that pairs are never many at a time."""
FEW_RINGS = 64
"""Which make no crowd, however many edges they have."""

CROWDED = (
    "so many rings lie over one another that comparing them would take too long: "
    "expected rings of which few have bounding boxes that meet; put them into several features"
)
TOO_SMALL = "rings are too small to be compared: expected edges that are longer than an atom"


def _crowded(geometry: Polygon | MultiPolygon) -> bool:
    """Whether rings meet too often, counting for each pair whose boxes meet the edges of the smaller."""
    found = [coordinates for _, _, coordinates in _rings(geometry, 0)]
    if len(found) <= FEW_RINGS:
        return False
    rings = np.array(list(map(Polygon, found)), np.object_)
    edges = shapely.get_num_coordinates(rings)
    tree, meetings = shapely.STRtree(rings), 0
    for start in range(0, len(rings), RINGS_AT_ONCE):
        some, others = tree.query(rings[start : start + RINGS_AT_ONCE])
        some += start
        counted = others > some
        meetings += int(np.minimum(edges[some], edges[others])[counted].sum())
        if meetings > MOST_MEETINGS:
            return True
    return False


EXPECTED = "expected holes inside their shell, and holes and polygons that share no more than points"

RING_RELATIONS = {
    "Hole lies outside shell": (
        "hole_outside",
        "the hole lies outside its shell",
        "move it into the polygon that it lies in, or make it a polygon of its own",
    ),
    "Holes are nested": ("overlap", "a hole lies within another hole", "remove the inner one"),
    "Nested shells": (
        "overlap",
        "a polygon lies within another",
        "remove the inner one, or make it a hole of the other",
    ),
    "Interior is disconnected": (
        "disconnected",
        "holes cut the polygon into pieces",
        "make each piece a polygon of its own in a MultiPolygon",
    ),
    "Duplicate Rings": ("overlap", "a ring occurs twice", "remove one"),
}
"""What GEOS says; our word for it, what is wrong, what would repair it."""

ONE_POLYGON, WITH_SHELL = True, True
CROSSING_REPAIRS = {
    (ONE_POLYGON, WITH_SHELL): "let the shell go around what the hole cuts off",
    (ONE_POLYGON, not WITH_SHELL): "join the two holes into one",
    (not ONE_POLYGON, WITH_SHELL): "join the two polygons into one, or make each a feature of its own",
    (not ONE_POLYGON, not WITH_SHELL): "make each of the two polygons a feature of its own",
}


def _nearest_rings(
    geometry: Polygon | MultiPolygon, first: int, location: Coordinates
) -> list[tuple[int, int, int]]:
    """All rings from the nearest to a location on, the last first where equally near.

    As numbers of polygon and ring, and of the vertex where the ring's nearest edge begins.
    """
    nearest: list[tuple[float, int, int, int]] = []
    for polygon, ring, coordinates in _rings(geometry, first):
        away = distances(coordinates, location)
        edge = int(np.argmin(away))
        nearest.append((round(float(away[edge]), 9), -polygon, -ring, edge))
    return [(-polygon, -ring, edge) for _, polygon, ring, edge in sorted(nearest)]


def _rings(geometry: Polygon | MultiPolygon, first: int) -> Iterator[tuple[int, int, Coordinates]]:
    for number, part in enumerate(shapely.get_parts(geometry), first):
        for at, ring in enumerate([part.exterior, *part.interiors]):
            yield number, at, shapely.get_coordinates(ring)
