"""The geodesic distance from positions to the boundaries of polygons, by branch and bound.

Let f(t) be the distance from the position to the point at share t of an edge. The edge moves by at most
`reach` and turns with at most `bend` (geofence/earth/edges.py), so that around t, as far as h away,

    f >= f(t) - reach h                               the triangle inequality,
    f >= f(t) - |f'(t)| h - (bend + c reach^2) h^2/2  Taylor; f' from the azimuth at the edge.

c says how concave distance itself can be. By the Hessian comparison theorem it is 0 up to a quarter of the
way round (pi b / 2: no curvature exceeds 1/b^2), and -cot(s/b)/b beyond. Pieces whose bound cannot beat the
best distance by the tolerance are dropped, the others halved, so what is found is never too low and never
too high by more than the tolerance.
"""

import math

import numpy as np

from geofence.earth.edges import Edges
from geofence.earth.ellipsoid import WGS84, Column, straight_distances

TOLERANCE = 1e-3
"""Metres by which a distance may be too high; what `RELATIVE_TOLERANCE` gives comes on top."""

RELATIVE_TOLERANCE = 1e-9

FARTHEST_SMOOTH = 19_500_000.0
"""Metres up to which the second bound is used; distance is smooth until near the antipode, 19,970 km away."""

FAR_TOLERANCE = 1.0
"""Metres by which a distance beyond that may be too high."""


def nearest_distances(longitude: Column, latitude: Column, edges: Edges, limit: Column) -> Column:
    """Metres from n positions (degrees) to the nearest edge of the geometry beside each: its owner.

    At most a millimetre and a billionth too high (a metre beyond 19,500 km), never too low but for rounding
    (some nanometres). What is farther than the geometry's `limit` (metres) may come as infinity, as does
    what has no edges.
    """
    best = np.full(len(limit), np.inf)
    edges = _candidates(longitude, latitude, edges, limit)
    reach, bend = edges.reach_and_bend()
    edge, middle, half = np.arange(len(edges)), np.full(len(edges), 0.5), 0.5
    while len(edge):
        piece = edges.take(edge)
        owner = piece.owner
        distance, slope = _distance_and_slope(longitude[owner], latitude[owner], piece, middle)
        np.minimum.at(best, owner, distance)
        least = _least(distance, slope, reach[edge], bend[edge], half)
        beaten = np.minimum(best, limit)[owner]
        kept = least < beaten - _tolerance(beaten)
        half /= 2
        edge = np.repeat(edge[kept], 2)
        middle = np.repeat(middle[kept], 2) + np.tile((-half, half), int(kept.sum()))
    return best


def _candidates(longitude: Column, latitude: Column, edges: Edges, limit: Column) -> Edges:
    """The edges that can be nearest to their geometry: by straight lines, which are never too long."""
    reach, _ = edges.reach_and_bend()
    middle = edges.at(0.5)
    away = straight_distances(longitude, latitude, edges.owner, *middle)
    first = np.full(len(limit), np.inf)
    np.minimum.at(first, edges.owner, away)
    nearest = np.flatnonzero(away == first[edges.owner])
    owner = edges.owner[nearest]
    known = WGS84.inv(longitude[owner], latitude[owner], middle[0][nearest], middle[1][nearest])[2]
    bound = limit.copy()
    np.minimum.at(bound, owner, known)
    return edges.take(away - reach / 2 <= bound[edges.owner] + TOLERANCE)


def _distance_and_slope(
    longitude: Column, latitude: Column, edges: Edges, share: Column
) -> tuple[Column, Column]:
    """f and f' at a share of each edge, of the position beside it: metres, and metres a share."""
    _, back, distance = WGS84.inv(longitude, latitude, *edges.at(share))
    east, north = edges.velocity(share)
    towards = np.radians(back)
    return distance, -(east * np.sin(towards) + north * np.cos(towards))


def _tolerance(distance: Column) -> Column:
    """Metres by which a distance may be too high, less a millionth that rounding may take."""
    near = (TOLERANCE + RELATIVE_TOLERANCE * np.minimum(distance, FARTHEST_SMOOTH)) * (1 - 1e-6)
    return np.where(distance < FARTHEST_SMOOTH, near, FAR_TOLERANCE)


def _least(distance: Column, slope: Column, reach: Column, bend: Column, half: float) -> Column:
    """What no point within `half` of the share can be nearer than."""
    by_triangle = distance - reach * half
    farthest = distance + reach * half
    quarter = math.pi / 2
    bent = np.clip(farthest / WGS84.b, quarter, FARTHEST_SMOOTH / WGS84.b)
    concave = -1 / (WGS84.b * np.tan(bent))  # at a quarter of the way round, and nearer, as good as nothing
    by_taylor = distance - np.abs(slope) * half - (bend + concave * reach**2) * half**2 / 2
    return np.where(farthest < FARTHEST_SMOOTH, np.maximum(by_triangle, by_taylor), by_triangle)
