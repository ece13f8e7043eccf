"""On which side of a line a point is: exactly.

The sign of (b - a) x (c - a) is that of what doubles give unless rounding may have taken it: Shewchuk,
"Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates" (1997), figure 21. The
few that are in doubt are worked out in fractions.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from geofence.ellipsoid import Column

EPSILON = 2.0**-53
RELATIVE_ERROR = (3 + 16 * EPSILON) * EPSILON
SMALLEST = 1e-290
"""Where products come near to what doubles cannot hold."""

Point = tuple[Column, Column]


def orientations(a: Point, b: Point, c: Point) -> Column:
    """Positive where c is left of the line from a to b, 0 on it, negative right of it: the sign is exact."""
    value, error = rough_orientations(a, b, c)
    doubtful = np.flatnonzero(np.abs(value) <= error)
    if len(doubtful):
        value[doubtful] = exact_orientations(*((x[doubtful], y[doubtful]) for x, y in (a, b, c)))
    return value


def rough_orientations(a: Point, b: Point, c: Point) -> tuple[Column, Column]:
    """(b - a) x (c - a) in doubles, and by how much it may be wrong; -1 where it is 0 for sure."""
    across, along = (b[0] - a[0], c[1] - a[1]), (b[1] - a[1], c[0] - a[0])
    left, right = across[0] * across[1], along[0] * along[1]
    error = np.maximum(RELATIVE_ERROR * (np.abs(left) + np.abs(right)), SMALLEST)
    nothing = ((across[0] == 0) | (across[1] == 0)) & ((along[0] == 0) | (along[1] == 0))
    return left - right, np.where(nothing, -1.0, error)


def exact_orientations(a: Point, b: Point, c: Point) -> Column:
    """The same, rounded only at the end."""
    columns = (column.tolist() for point in (a, b, c) for column in point)
    return np.array([_exact(*map(Fraction, row)) for row in zip(*columns, strict=True)], np.float64)


def _exact(ax: Fraction, ay: Fraction, bx: Fraction, by: Fraction, cx: Fraction, cy: Fraction) -> float:
    value = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    rounded = float(value)
    if rounded == 0 and value != 0:  # smaller than a double can be
        return SMALLEST if value > 0 else -SMALLEST
    return rounded


def crossing_shares(a: Point, b: Point, v: Point, w: Point, finest: NDArray[np.float64]) -> Column:
    """Where each line from a to b cuts the one from v to w, as a share of the former, 0 to 1.

    a and b are on different sides of the latter, or one of them on it. Right to `finest`, a share.
    """
    at_a, error_a = rough_orientations(v, w, a)
    at_b, error_b = rough_orientations(v, w, b)
    error = np.maximum(error_a, 0) + np.maximum(error_b, 0)
    doubtful = np.flatnonzero(error > finest * (np.abs(at_a) + np.abs(at_b)))
    if len(doubtful):
        points = [(x[doubtful], y[doubtful]) for x, y in (v, w, a, b)]
        at_a[doubtful] = exact_orientations(points[0], points[1], points[2])
        at_b[doubtful] = exact_orientations(points[0], points[1], points[3])
    at_a, at_b = np.abs(at_a), np.abs(at_b)
    share: Column = at_a / (at_a + at_b)
    return share
