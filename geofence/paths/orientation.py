"""On which side of a line a point is: exactly.

The sign of (b - a) x (c - a) is that of what doubles give unless rounding may have taken it: Shewchuk,
"Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates" (1997), figure 21. The
few that are in doubt are worked out in fractions.
"""

from fractions import Fraction

import numpy as np

from geofence.earth.ellipsoid import Column

EPSILON = 2.0**-53
RELATIVE_ERROR = (3 + 16 * EPSILON) * EPSILON
SMALLEST = 1e-290
"""Where products come near to what doubles cannot hold."""

Point = tuple[Column, Column]


def orientations(a: Point, b: Point, c: Point) -> Column:
    """Positive where c is left of the line from a to b, 0 on it, negative right of it: the sign is exact."""
    value, error = _rough(a, b, c)
    for at in np.flatnonzero(np.abs(value) <= error).tolist():
        exact = _exact(*(_fractions(point, at) for point in (a, b, c)))
        value[at] = (exact > 0) - (exact < 0)
    return value


def crossing_shares(a: Point, b: Point, v: Point, w: Point, finest: Column) -> Column:
    """Where each line from a to b cuts the one from v to w, as a share of the former, 0 to 1.

    a and b are on different sides of the latter, or one of them on it. Right to `finest`, a share.
    """
    at_a, error_a = _rough(v, w, a)
    at_b, error_b = _rough(v, w, b)
    away = np.abs(at_a) + np.abs(at_b)
    doubtful = np.maximum(error_a, 0) + np.maximum(error_b, 0) > finest * away
    share: Column = np.abs(at_a) / np.where(doubtful, 1.0, away)
    for at in np.flatnonzero(doubtful).tolist():
        ends = _fractions(v, at), _fractions(w, at)
        of_a, of_b = (abs(_exact(*ends, _fractions(point, at))) for point in (a, b))
        share[at] = of_a / (of_a + of_b)
    return share


def _rough(a: Point, b: Point, c: Point) -> tuple[Column, Column]:
    """(b - a) x (c - a) in doubles, and by how much it may be wrong; -1 where it is 0 for sure."""
    across, along = (b[0] - a[0], c[1] - a[1]), (b[1] - a[1], c[0] - a[0])
    left, right = across[0] * across[1], along[0] * along[1]
    error = np.maximum(RELATIVE_ERROR * (np.abs(left) + np.abs(right)), SMALLEST)
    nothing = ((across[0] == 0) | (across[1] == 0)) & ((along[0] == 0) | (along[1] == 0))
    nothing |= (b[0] == c[0]) & (b[1] == c[1])
    return left - right, np.where(nothing, -1.0, error)


Exact = tuple[Fraction, Fraction]


def _fractions(point: Point, at: int) -> Exact:
    return Fraction(float(point[0][at])), Fraction(float(point[1][at]))


def _exact(a: Exact, b: Exact, c: Exact) -> Fraction:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
