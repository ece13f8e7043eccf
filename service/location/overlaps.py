"""Polygons of one geofence that overlap: what they cover together, where they do not cross too often.

Amazon Location lets each edge cross up to 5 edges of other polygons, and all together cross 100,000 times;
edges that run along each other do not count.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geofence.reading.ring_faults import Coordinates

MOST_OF_AN_EDGE: Final = 5
MOST_CROSSINGS: Final = 100_000
MOST_MEETINGS: Final = 2_000_000
"""Pairs of edges whose boxes meet, which are looked at one by one: some seconds."""
EDGES_AT_ONCE: Final = 16


def joined(polygons: Sequence[Polygon]) -> Polygon | MultiPolygon:
    """What polygons, each of them valid, cover together: where their edges cross, to a double's rounding.

    Raises ValueError, which says what is too much.
    """
    _refuse_many_crossings(polygons)
    try:
        area = shapely.union_all(polygons)
    except shapely.GEOSException as error:
        raise ValueError(f"polygons that cannot be joined: {error}") from None
    if not isinstance(area, Polygon | MultiPolygon) or area.is_empty or not shapely.is_valid(area):
        raise ValueError("polygons that cannot be joined: expected some that are larger than rounding")
    return area


def _refuse_many_crossings(polygons: Sequence[Polygon]) -> None:
    start_of, end_of, owner = _edges(polygons)
    edges = shapely.linestrings(np.stack([start_of, end_of], axis=1))
    tree = shapely.STRtree(edges)
    meetings = crossings = 0
    for start in range(0, len(edges), EDGES_AT_ONCE):
        some, others = tree.query(edges[start : start + EDGES_AT_ONCE])
        meetings += len(some)
        if meetings > MOST_MEETINGS:
            raise ValueError(
                "so many polygons lie over one another that comparing them would take too long: expected "
                "polygons of which few have bounding boxes that meet"
            )
        at = some + start
        crossing = owner[at] != owner[others]
        crossing &= _apart(start_of[at], end_of[at], start_of[others], end_of[others])
        crossing &= _apart(start_of[others], end_of[others], start_of[at], end_of[at])
        of_each = np.bincount(some[crossing], minlength=EDGES_AT_ONCE)
        if of_each.max() > MOST_OF_AN_EDGE:
            raise ValueError(
                f"an edge of polygon {owner[start + int(of_each.argmax())]} crosses {of_each.max()} edges of "
                f"other polygons: expected up to {MOST_OF_AN_EDGE}"
            )
        crossings += int(of_each.sum())
        if crossings > 2 * MOST_CROSSINGS:
            raise ValueError(f"polygons cross more than {MOST_CROSSINGS:,} times: expected up to that")


def _apart(start: Coordinates, end: Coordinates, one: Coordinates, other: Coordinates) -> NDArray[np.bool_]:
    """Whether two positions lie on different sides of the line from `start` to `end`."""
    along = end - start
    sides = [along[:, 0] * (at - start)[:, 1] - along[:, 1] * (at - start)[:, 0] for at in (one, other)]
    different: NDArray[np.bool_] = np.sign(sides[0]) * np.sign(sides[1]) < 0
    return different


def _edges(polygons: Sequence[Polygon]) -> tuple[Coordinates, Coordinates, NDArray[np.intp]]:
    """Where each edge that has a length begins and ends, and the number of its polygon."""
    rings, of_polygon = shapely.get_rings(np.array(polygons, np.object_), return_index=True)
    coordinates, of_ring = shapely.get_coordinates(rings, return_index=True)
    within = (of_ring[1:] == of_ring[:-1]) & (coordinates[1:] != coordinates[:-1]).any(axis=1)
    return coordinates[:-1][within], coordinates[1:][within], of_polygon[of_ring[:-1][within]]
