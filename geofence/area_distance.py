"""How far positions are from areas: 0 inside."""

import numpy as np

from geofence.cells.cover import chunks
from geofence.chosen_areas import ChosenAreas, Numbers
from geofence.distance import nearest_distances
from geofence.edges import Edges, ring_edges
from geofence.ellipsoid import Column
from geofence.ranges import ranges

EDGES_AT_ONCE = 1 << 18


def area_distances(
    areas: ChosenAreas, area: Numbers, longitude: Column, latitude: Column, limit: Column
) -> Column:
    """Metres along the geodesic from n positions (degrees) to the area whose number stands beside each.

    At most a millimetre and a billionth too high (a metre beyond 19,500 km), never too low but for rounding.
    What is farther than `limit` (metres) may come as infinity.
    """
    distance = np.full(len(area), np.inf)
    distance[areas.contain(area, longitude, latitude)] = 0
    of = np.flatnonzero(areas.is_circle[area] & (distance > 0))
    distance[of] = areas.circles.beyond(areas.place[area[of]], longitude[of], latitude[of])
    of = np.flatnonzero(~areas.is_circle[area] & (distance > 0))
    distance[of] = _to_polygons(areas, area[of], longitude[of], latitude[of], limit[of])
    return distance


def _to_polygons(
    areas: ChosenAreas, area: Numbers, longitude: Column, latitude: Column, limit: Column
) -> Column:
    """To their edges, those along a cut at the antimeridian too: these are no nearer than the area."""
    distance = np.full(len(area), np.inf)
    edges = ring_edges(areas.polygons)
    each = np.arange(len(areas.polygons))
    first, end = (np.searchsorted(edges.owner, each, side) for side in ("left", "right"))
    pair, polygon = areas.parts(area)
    first, count = first[polygon], (end - first)[polygon]
    for part in chunks(count, EDGES_AT_ONCE):
        at = pair[part]
        piece = edges.take(ranges(first[part], count[part]))
        of = np.repeat(np.arange(len(at)), count[part])
        piece = Edges(of, piece.longitude, piece.latitude, piece.longitude_step, piece.latitude_step)
        np.minimum.at(distance, at, nearest_distances(longitude[at], latitude[at], piece, limit[at]))
    return distance
