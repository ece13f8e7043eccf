"""How far positions are from areas: 0 inside."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.area import Area, CircleArea, PolygonArea
from geofence.cells.cover import chunks
from geofence.circle import Circles
from geofence.distance import nearest_distances
from geofence.edges import Edges, ring_edges
from geofence.ellipsoid import Column
from geofence.ranges import ranges

EDGES_AT_ONCE = 1 << 18

Numbers = NDArray[np.intp]


def area_distances(
    areas: Sequence[Area], area: Numbers, longitude: Column, latitude: Column, limit: Column
) -> Column:
    """Metres along the geodesic from n positions (degrees) to the area whose number stands beside each.

    At most a millimetre and a billionth too high (a metre beyond 19,500 km), never too low but for rounding.
    What is farther than `limit` (metres) may come as infinity.
    """
    polygons = [each for each in areas if isinstance(each, PolygonArea)]
    circles = [each for each in areas if isinstance(each, CircleArea)]
    is_polygon = np.array([isinstance(each, PolygonArea) for each in areas], np.bool_)
    number = np.where(is_polygon, np.cumsum(is_polygon), np.cumsum(~is_polygon)) - 1  # among its like
    distance = np.empty(len(area))
    of = np.flatnonzero(is_polygon[area])
    distance[of] = _to_polygons(polygons, number[area[of]], longitude[of], latitude[of], limit[of])
    of = np.flatnonzero(~is_polygon[area])
    distance[of] = _to_circles(circles, number[area[of]], longitude[of], latitude[of])
    return distance


def _to_circles(areas: Sequence[CircleArea], area: Numbers, longitude: Column, latitude: Column) -> Column:
    columns = [(each.longitude, each.latitude, each.radius) for each in areas]
    circles = Circles(*np.array(columns, np.float64).reshape(-1, 3).T)
    return np.maximum(circles.beyond(area, longitude, latitude), 0)


def _to_polygons(
    areas: Sequence[PolygonArea], area: Numbers, longitude: Column, latitude: Column, limit: Column
) -> Column:
    """To their edges, those along a cut at the antimeridian too: these are no nearer than the area."""
    polygons = np.array([polygon for each in areas for polygon in each.polygons], np.object_)
    count = np.array([len(each.polygons) for each in areas], np.int64)
    owner = np.repeat(np.arange(len(area)), count[area])
    polygon = ranges((np.cumsum(count) - count)[area], count[area])

    distance = np.full(len(area), np.inf)
    distance[owner[_contain(polygons[polygon], longitude[owner], latitude[owner])]] = 0
    outside = distance[owner] > 0
    owner, polygon = owner[outside], polygon[outside]
    edges = ring_edges(polygons)
    first, end = (np.searchsorted(edges.owner, np.arange(len(polygons)), side) for side in ("left", "right"))
    first, count = first[polygon], (end - first)[polygon]
    for part in chunks(count, EDGES_AT_ONCE):
        piece = edges.take(ranges(first[part], count[part]))
        of = np.repeat(np.arange(len(owner[part])), count[part])
        piece = Edges(of, piece.longitude, piece.latitude, piece.longitude_step, piece.latitude_step)
        at = owner[part]
        found = nearest_distances(longitude[at], latitude[at], piece, limit[at])
        np.minimum.at(distance, at, found)
    return distance


def _contain(polygons: NDArray[np.object_], longitude: Column, latitude: Column) -> NDArray[np.bool_]:
    """Whether each position is in the polygon beside it: at the antimeridian, on either side of it."""
    inside: NDArray[np.bool_] = shapely.intersects_xy(polygons, longitude, latitude)
    seam = np.flatnonzero(np.abs(longitude) == 180)
    inside[seam] |= shapely.intersects_xy(polygons[seam], -longitude[seam], latitude[seam])
    return inside
