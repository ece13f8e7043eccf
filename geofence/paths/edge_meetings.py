"""Where lines meet edges of polygons: by exact orientations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.earth.ellipsoid import Column
from geofence.paths.orientation import Point, crossing_shares, orientations
from geofence.paths.outlines import Outlines
from geofence.paths.paths import FlatPaths, Numbers


@dataclass(frozen=True, slots=True)
class Meetings:
    """m pairs of a line and an edge that meet, by line.

    `changes` marks edges that take the line in or out, at `share` of it; `along` those in whose line it is,
    from `share` to `end`. `at_start` and `at_end` mark those on which the line starts and ends.
    """

    line: Numbers
    changes: NDArray[np.bool_]
    along: NDArray[np.bool_]
    share: Column
    end: Column
    at_start: NDArray[np.bool_]
    at_end: NDArray[np.bool_]


def meetings(lines: FlatPaths, number: Numbers, outlines: Outlines, finest: Column) -> Meetings:
    """Where each line meets edges of the outline beside it.

    Shares are right to what is `finest` for each line.
    """
    line, edge = outlines.near(lines, number)
    v, w = outlines.edge(edge)
    a, b = lines.ends(line)
    of_v, of_w = np.sign(orientations(a, b, v)), np.sign(orientations(a, b, w))
    possible = of_v * of_w <= 0
    line, of_v, of_w = line[possible], of_v[possible], of_w[possible]
    a, b, v, w = (_take(point, possible) for point in (a, b, v, w))
    of_a, of_b = np.sign(orientations(v, w, a)), np.sign(orientations(v, w, b))
    meet = np.flatnonzero(of_a * of_b <= 0)
    meet = meet[np.argsort(line[meet], kind="stable")]
    line, of_v, of_w, of_a, of_b = (column[meet] for column in (line, of_v, of_w, of_a, of_b))
    a, b, v, w = (_take(point, meet) for point in (a, b, v, w))

    changes, along = (of_v >= 0) != (of_w >= 0), (of_v == 0) & (of_w == 0)
    share, end = np.zeros(len(line)), np.zeros(len(line))
    cut = [_take(point, changes) for point in (a, b, v, w)]
    share[changes] = crossing_shares(cut[0], cut[1], cut[2], cut[3], finest[line[changes]])
    one, other = (_shares_along(*(_take(point, along) for point in (a, b, c))) for c in (v, w))
    share[along], end[along] = np.minimum(one, other), np.maximum(one, other)
    return Meetings(
        line, changes, along, share, end, (of_a == 0) & _between(v, w, a), (of_b == 0) & _between(v, w, b)
    )


def _take(point: Point, index: NDArray[np.bool_] | NDArray[np.intp]) -> Point:
    return point[0][index], point[1][index]


def _shares_along(a: Point, b: Point, c: Point) -> Column:
    """Where c, a point on the line from a to b, is: 0 at a or before it, 1 at b or behind it."""
    wide = np.abs(b[0] - a[0]) >= np.abs(b[1] - a[1])
    start, end, at = (np.where(wide, x, y) for x, y in (a, b, c))
    with np.errstate(over="ignore"):  # an edge next to nothing, and a point far from it
        share: Column = np.clip((at - start) / (end - start), 0, 1)
    return share


def _between(v: Point, w: Point, point: Point) -> NDArray[np.bool_]:
    """Whether a point is in the box of v and w."""
    x, y = point
    inside: NDArray[np.bool_] = (np.minimum(v[0], w[0]) <= x) & (x <= np.maximum(v[0], w[0]))
    return inside & (np.minimum(v[1], w[1]) <= y) & (y <= np.maximum(v[1], w[1]))
