"""Covers of geodesic circles, by straight distances alone, for many circles together and level by level.

The chord from a circle's centre to a cell's middle, less the chord from there to the cell's farthest corner
at most, is no more than the chord to any position of the cell; their sum is no less. For a difference of
latitude that spans the arc m of a meridian, and one of longitude d between distances p and q from the
Earth's axis, a chord is at most sqrt(m * m + p * q * d * d).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geofence.cells.cover import Cover, cover_of
from geofence.cells.grid import HAIR, LEVELS, Cells, Coordinates, cells_around
from geofence.cells.steps import BetweenSteps, go_on
from geofence.columns.chunks import chunks
from geofence.earth.circle import Circles
from geofence.earth.ellipsoid import GREATEST_CURVATURE_RADIUS, WGS84

CELLS_AT_ONCE = 200_000

Numbers = NDArray[np.intp]


def circle_cover(
    circles: Circles,
    circle: Numbers,
    boxes: NDArray[np.float64],
    most: int,
    between_steps: BetweenSteps = go_on,
) -> Cover:
    """The cover of circles that n boxes hold (degrees, n x 4; `circle` says of each which it belongs to).

    Each box may have `most` crossed cells, give or take four.
    """
    parts = []
    for chunk in chunks(np.full(len(circle), most), CELLS_AT_ONCE):
        cover = Cover.joined(
            list(_covers(circles, circle[chunk], boxes[chunk], most, between_steps))
        ).merged()
        parts.append(cover._replace(area=circle[chunk][cover.area].astype(np.int32)))
    return Cover.joined(parts)


def _covers(
    circles: Circles, circle: Numbers, boxes: NDArray[np.float64], most: int, between_steps: BetweenSteps
) -> Iterator[Cover]:
    """Of some boxes, by their numbers."""
    box, cells = cells_around(boxes)
    while len(box):
        between_steps()
        box, cells = np.repeat(box, 4), cells.quarters()
        inside, crossed = _relation(circles, circle[box], cells)
        yield cover_of(box[inside], cells.take(inside), crossed=False)
        many = 2 * np.bincount(box[crossed], minlength=len(circle)) > most
        last = crossed & (many[box] | (cells.level == LEVELS))
        yield cover_of(box[last], cells.take(last), crossed=True)
        going = crossed & ~last
        box, cells = box[going], cells.take(going)


def _relation(circles: Circles, circle: Numbers, cells: Cells) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells lie wholly in the circle beside them, and which may be crossed by its boundary."""
    longitude, latitude = cells.centres()
    width, height = cells.sizes()
    reach = farthest_corner(latitude, width / 2 + HAIR, height / 2 + HAIR)
    return circles.hold_around(circle, longitude, latitude, reach)


def farthest_corner(latitude: Coordinates, width: Coordinates, height: Coordinates) -> Coordinates:
    """Metres from middles of cells to their farthest corners at most; half of width and height in degrees."""
    nearest = np.maximum(np.abs(latitude) - height, 0)
    from_axis, most_from_axis = (
        WGS84.a * 1.004 * np.cos(np.radians(at)) + 1e-3 for at in (latitude, nearest)
    )
    meridian = GREATEST_CURVATURE_RADIUS * np.radians(height)
    reach: Coordinates = np.sqrt(meridian**2 + from_axis * most_from_axis * np.radians(width) ** 2)
    return reach
