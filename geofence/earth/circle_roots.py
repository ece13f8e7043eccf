"""Where curves cross the rims of circles: by bounds of how fast the distance from a centre can change.

Let g(t) be the distance from the centre less the radius at share t of a curve, which moves by at most `reach`
metres a share and turns with at most `bend`. Around t, as far as h away,

    |g - g(t)| <= reach h,    |g - g(t) - g'(t) h| <= (bend + c reach^2) h^2 / 2,

where c is what the Hessian of distance allows: 1 / distance, or -cot(s/b)/b far away. That rules a crossing
out, or a second one, or the piece is halved: until it is a millimetre long, or strays from its tangent by no
more than a hundredth of one, which is what a curve that runs along the rim comes to.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geofence.earth.distance import FARTHEST_SMOOTH
from geofence.earth.ellipsoid import WGS84, Column

FINEST = 1e-6
"""Metres along the curve to which a crossing is found."""

SHORTEST = 1e-3
"""Metres along the curve: shorter visits and absences may be left out,"""

SHALLOWEST = 1e-5
"""and those that go no deeper than so many metres."""

Numbers = NDArray[np.intp]
Look = Callable[[Numbers, Column], tuple[Column, Column]]
"""Of curves by number, at shares: metres beyond the rim (negative inside) and metres a share by which they
grow."""


def circle_roots(
    look: Look, radius: Column, reach: Column, bend: Column
) -> tuple[Numbers, Column, NDArray[np.bool_]]:
    """Where each of n curves crosses the rim of its circle, by number, then share; and whether it goes in.

    `reach` in metres a share, `bend` in metres a share^2. The shares are those of places that are on the
    new side, or on the rim, to a thousandth of a millimetre.
    """
    number, start, end = _brackets(look, radius, reach, bend)
    entering = look(number, end)[0] <= 0
    change = (look(number, start)[0] <= 0) != entering
    number, start, end, entering = number[change], start[change], end[change], entering[change]
    share = _narrowed(look, number, start, end, entering, reach[number])
    order = np.lexsort((share, number))
    return number[order], share[order], entering[order]


def _brackets(look: Look, radius: Column, reach: Column, bend: Column) -> tuple[Numbers, Column, Column]:
    """Numbers, and beside each the shares between which there is one crossing at most."""
    number, middle, half = np.arange(len(radius)), np.full(len(radius), 0.5), 0.5
    found = [(number[:0], middle[:0], middle[:0])]
    while len(number):
        beyond, slope = look(number, middle)
        length = half * reach[number] + FINEST  # which rounding may take
        bent = half * half / 2 * bend[number]
        bent += _greatest_turning(beyond + radius[number], length) * length**2 / 2
        gap, slope = np.abs(beyond), np.abs(slope)
        possible = (gap <= length) & (gap <= slope * half + bent + FINEST)
        once = (slope * half > 2 * bent) | (length <= SHORTEST / 2) | (bent <= SHALLOWEST)
        done = possible & once
        found.append((number[done], middle[done] - half, middle[done] + half))
        number, middle = number[possible & ~once], middle[possible & ~once]
        half /= 2
        middle = np.repeat(middle, 2) + np.tile((-half, half), len(number))
        number = np.repeat(number, 2)
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    return columns[0], columns[1], columns[2]


def _greatest_turning(distance: Column, length: Column) -> Column:
    """How fast the slope of a distance changes at most (1/m), up to `length` metres away."""
    nearest, farthest = distance - length, distance + length
    near = 1 / np.maximum(nearest, math.ulp(1.0))
    far = 1 / (WGS84.b * np.abs(np.tan(np.minimum(farthest, FARTHEST_SMOOTH) / WGS84.b)))
    return np.where(
        (nearest > 0) & (farthest < FARTHEST_SMOOTH),
        np.where(farthest > math.pi / 2 * WGS84.b, np.maximum(near, far), near),
        np.inf,
    )


def _narrowed(
    look: Look, number: Numbers, start: Column, end: Column, entering: NDArray[np.bool_], reach: Column
) -> Column:
    """The end of a bracket of each crossing that is no wider than FINEST.

    By Newton's method, each step of which goes a little past where the crossing seems to be, so that it
    closes the bracket from the other side; by halving where that leads out of it, or comes no nearer.
    """
    share, unfinished = end.copy(), np.arange(len(number))
    past, step = 0.45 * FINEST / reach, end - start
    at = (start + end) / 2
    while len(unfinished):
        beyond, slope = look(number, at)
        crossed = (beyond <= 0) == entering
        start, end = np.where(crossed, start, at), np.where(crossed, at, end)
        share[unfinished] = end
        middle, flat = (start + end) / 2, slope == 0
        newton = np.where(flat, np.inf, -beyond / np.where(flat, 1.0, slope))
        aimed = at + newton + np.where(crossed, -past, past)
        nearer = (aimed > start) & (aimed < end) & (np.abs(newton) <= np.maximum(step / 2, past))
        at, step = np.where(nearer, aimed, middle), np.where(nearer, np.abs(newton), (end - start) / 2)
        wide = ((end - start) * reach > FINEST) & (middle > start) & (middle < end)
        unfinished, number, entering = unfinished[wide], number[wide], entering[wide]
        start, end, at, step, reach, past = (each[wide] for each in (start, end, at, step, reach, past))
    return share
