"""The grid: the world halved again and again in longitude and latitude, its cells numbered in Morton order.

A cell of level k is 360 / 2**k degrees wide and 180 / 2**k high. The finest have level 20 (38 m by 19 m at
the equator). A cell's code interleaves the bits of its column and its row, so that all finest cells within a
coarser one have codes without a gap, and a cell of any level is a range of codes.

The law that all of this rests on: `cell_columns` is one monotone function from longitude (and latitude) to
a column (and row), used for positions and for fences alike. Positions of a cell lie in its rectangle widened
by HAIR, whatever was rounded on the way: it is a thousand times what rounding can do.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVELS = 20
CODE_BITS = 2 * LEVELS
HAIR = 1e-9
"""Degrees, a tenth of a millimetre."""

WIDTHS, HEIGHTS = (np.ldexp(degrees, -np.arange(LEVELS + 1)) for degrees in (360.0, 180.0))
"""Of the cells of each level, degrees."""

Coordinates = NDArray[np.float64]
Integers = NDArray[np.int64]


class Cells(NamedTuple):
    """n cells: level, column from the west and row from the south at that level."""

    level: Integers
    column: Integers
    row: Integers

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> "Cells":
        """The cells at `at`: numbers, or a mask of length n."""
        return Cells(self.level[at], self.column[at], self.row[at])

    def quarters(self) -> "Cells":
        """The four cells within each, side by side: south-west, south-east, north-west, north-east."""
        quarter = np.arange(4)
        return Cells(
            np.repeat(self.level + 1, 4),
            (2 * self.column[:, None] + (quarter & 1)).ravel(),
            (2 * self.row[:, None] + (quarter >> 1)).ravel(),
        )

    def centres(self) -> tuple[Coordinates, Coordinates]:
        """Longitude and latitude of the middles (degrees)."""
        width, height = self.sizes()
        return (self.column + 0.5) * width - 180.0, (self.row + 0.5) * height - 90.0

    def sizes(self) -> tuple[Coordinates, Coordinates]:
        """Widths and heights (degrees)."""
        return WIDTHS[self.level], HEIGHTS[self.level]

    def codes(self) -> tuple[Integers, Integers]:
        """The first code of each, and the first code after it."""
        shift = LEVELS - self.level
        start = morton_code(self.column << shift, self.row << shift)
        return start, start + (1 << 2 * shift)


def cell_columns(longitude: Coordinates, latitude: Coordinates) -> tuple[Integers, Integers]:
    """Columns and rows of the finest cells that hold positions (degrees).

    Longitude 180 belongs to the last column, latitude 90 to the last row.
    """
    last = (1 << LEVELS) - 1
    column = ((longitude + 180.0) * ((1 << LEVELS) / 360.0)).astype(np.int64)
    row = ((latitude + 90.0) * ((1 << LEVELS) / 180.0)).astype(np.int64)
    return np.minimum(column, last), np.minimum(row, last)


def morton_code(column: Integers, row: Integers) -> Integers:
    """The codes of finest cells."""
    half = LEVELS // 2
    low, high = (1 << half) - 1, 2 * half
    even = SPREAD[column & low] | SPREAD[column >> half] << high
    odd = SPREAD[row & low] | SPREAD[row >> half] << high
    code: Integers = even | odd << 1
    return code


def _spread() -> Integers:
    """Of each number of LEVELS / 2 bits, the number with a zero put before each of its bits."""
    number = np.arange(1 << LEVELS // 2)
    bits = [(number >> bit & 1) << 2 * bit for bit in range(LEVELS // 2)]
    spread: Integers = np.bitwise_or.reduce(np.array(bits, np.int64))
    return spread


SPREAD = _spread()


def cells_around(boxes: NDArray[np.float64]) -> tuple[NDArray[np.intp], Cells]:
    """At most four cells that together hold each box, as numbers of boxes (n x 4) and beside each a cell.

    They are of the finest level at which two columns and two rows suffice, and never of the finest of all.
    """
    low = np.maximum(boxes[:, :2] - HAIR, (-180, -90))
    high = np.minimum(boxes[:, 2:] + HAIR, (180, 90))
    west, south = cell_columns(low[:, 0], low[:, 1])
    east, north = cell_columns(high[:, 0], high[:, 1])
    span = np.maximum(np.maximum(east - west, north - south), 1)
    shift = np.frexp(span.astype(np.float64))[1].astype(np.int64)
    found = [(np.empty(0, np.intp), Cells(*np.empty((3, 0), np.int64)))]
    for eastern in (0, 1):
        for northern in (0, 1):
            column, row = (west >> shift) + eastern, (south >> shift) + northern
            at = np.flatnonzero((column <= east >> shift) & (row <= north >> shift))
            found.append((at, Cells(LEVELS - shift[at], column[at], row[at])))
    return np.concatenate([at for at, _ in found]), Cells(
        *(np.concatenate(parts) for parts in zip(*(cells for _, cells in found), strict=True))
    )
