"""How far positions are from areas: 0 inside."""

import numpy as np
from numpy.typing import NDArray

from geofence.areas.chosen_areas import ChosenAreas, Numbers
from geofence.columns.chunks import chunks
from geofence.earth.distance import nearest_distances
from geofence.earth.edges import Edges
from geofence.earth.ellipsoid import LEAST_CURVATURE_RADIUS, Column, from_axis
from geofence.paths.outlines import Outlines
from geofence.paths.paths import Sides

EDGES_LOOKED_THROUGH = 1 << 22
"""For those that come near: all of them may, which takes some 50 bytes each."""
EDGES_AT_ONCE = 1 << 18

MARGIN = 1e-9
"""Degrees by which boxes are wider than they must be."""


def area_distances(
    areas: ChosenAreas,
    outline: NDArray[np.int64],
    outlines: Outlines,
    area: Numbers,
    longitude: Column,
    latitude: Column,
    limit: Column,
) -> Column:
    """Metres along the geodesic from n positions (degrees) to the area whose number stands beside each.

    At most a millimetre and a billionth too high (a metre beyond 19,500 km), never too low but for rounding.
    What is farther than `limit` (metres) may come as infinity. `outline` is the number of each area's among
    `outlines`, if it is a polygon.
    """
    distance = np.full(len(area), np.inf)
    distance[areas.contain(area, longitude, latitude)] = 0
    of = np.flatnonzero(areas.is_circle[area] & (distance > 0))
    distance[of] = areas.circles.beyond(areas.place[area[of]], longitude[of], latitude[of])
    of = np.flatnonzero(~areas.is_circle[area] & (distance > 0))
    distance[of] = _to_outlines(outlines, outline[area[of]], longitude[of], latitude[of], limit[of])
    return distance


def _to_outlines(
    outlines: Outlines, number: NDArray[np.int64], longitude: Column, latitude: Column, limit: Column
) -> Column:
    """To edges that come near. Those along a cut at the antimeridian count too: the area is no farther."""
    distance = np.empty(len(number))
    for part in chunks(outlines.sizes(number), EDGES_LOOKED_THROUGH):
        distance[part] = _to_edges(outlines, number[part], longitude[part], latitude[part], limit[part])
    return distance


def _to_edges(
    outlines: Outlines, number: Numbers, longitude: Column, latitude: Column, limit: Column
) -> Column:
    owner, sides = _boxes_around(longitude, latitude, limit)
    box, edge = outlines.within(sides, number[owner])
    order = np.argsort(owner[box], kind="stable")
    owner, edge = owner[box[order]], edge[order]
    distance = np.full(len(number), np.inf)
    at, of, count = np.unique(owner, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    for part in chunks(count, EDGES_AT_ONCE):
        these = slice(int(ends[part.start] - count[part.start]), int(ends[part.stop - 1]))
        v, w = outlines.edge(edge[these])
        edges = Edges(of[these] - part.start, *v, w[0] - v[0], w[1] - v[1])
        some = at[part]
        distance[some] = nearest_distances(longitude[some], latitude[some], edges, limit[some])
    return distance


def _boxes_around(longitude: Column, latitude: Column, reach: Column) -> tuple[Numbers, Sides]:
    """Boxes that hold all within `reach` (metres) of each position, and the position's number beside each.

    One, or two where it is beyond the antimeridian too. Why they do: see `circle_boxes`.
    """
    height = np.degrees(reach / LEAST_CURVATURE_RADIUS) + MARGIN
    sine = np.minimum(reach / np.maximum(from_axis(latitude), MARGIN), 1)
    width = np.where(sine < 1, np.degrees(np.arcsin(sine)) + MARGIN, 360.0)
    west, east = longitude - width, longitude + width
    sides = [np.maximum(west, -180), latitude - height, np.minimum(east, 180), latitude + height]
    beyond = np.flatnonzero((west < -180) | (east > 180))
    of_west = west[beyond] < -180
    others = [
        np.where(of_west, np.maximum(west[beyond] + 360, -180), -180),
        sides[1][beyond],
        np.where(of_west, 180, np.minimum(east[beyond] - 360, 180)),
        sides[3][beyond],
    ]
    both = [np.concatenate(pair) for pair in zip(sides, others, strict=True)]
    return np.concatenate([np.arange(len(longitude)), beyond]), both
