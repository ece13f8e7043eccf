"""Crossed cells: what the boundary of a polygon is like in each of the cells that it crosses.

A cell has a reference, a position beside its middle of which it is known whether it is inside. So is any
other position of the cell if the straight line to it crosses an even number of edges: that line lies in the
cell, and all edges that touch the cell are listed.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.cells.grid import CODE_BITS, Cells, Coordinates, Integers

EAST, NORTH = 0.5178, 0.4831
"""Of a cell's width and height: where its reference is (as in compiled/boundaries.c)."""


class CrossedCells(NamedTuple):
    """n crossed cells: polygon's number << CODE_BITS | first code, level, whether the reference is inside.

    They come by `cell`. `edges` (n) is how many edges touch each. These are listed one cell after the other
    in `vertex`, by the first of the two vertices, numbered as in shapely.get_coordinates of the polygons.
    """

    cell: Integers
    level: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    edges: NDArray[np.int32]
    vertex: NDArray[np.int32]

    def shifted(self, polygon: int, vertex: int) -> Self:
        """With polygons and vertices numbered from these on."""
        return self._replace(cell=self.cell + (polygon << CODE_BITS), vertex=self.vertex + np.int32(vertex))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several in one, each of polygons that follow those of the one before."""
        return cls(
            np.concatenate([np.empty(0, np.int64), *(part.cell for part in parts)]),
            np.concatenate([np.empty(0, np.uint8), *(part.level for part in parts)]),
            np.concatenate([np.empty(0, np.bool_), *(part.inside for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.edges for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.vertex for part in parts)]),
        )


class TouchedCells(NamedTuple):
    """n cells, each of the polygon whose number is beside it, and m pairs of the number of a cell and an edge
    that touches it, by its first vertex."""

    polygon: NDArray[np.intp]
    cells: Cells
    touched: NDArray[np.intp]
    vertex: NDArray[np.intp]


def crossed_cells(polygons: NDArray[np.object_], parts: Sequence[TouchedCells]) -> CrossedCells:
    """What there is to know of the crossed cells of some polygons; there is at least one part."""
    polygon = np.concatenate([part.polygon for part in parts])
    cells = Cells(*(np.concatenate(column) for column in zip(*(part.cells for part in parts), strict=True)))
    cell = polygon << CODE_BITS | cells.codes()[0]
    order = np.argsort(cell)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first = np.cumsum([0, *(len(part.polygon) for part in parts)])
    touched = place[np.concatenate([part.touched + at for part, at in zip(parts, first, strict=False)])]
    pair = touched << 32 | np.concatenate([part.vertex for part in parts])
    pair.sort()
    cells = cells.take(order)
    return CrossedCells(
        cell[order],
        cells.level.astype(np.uint8),
        shapely.intersects_xy(polygons[polygon[order]], *references(cells)),
        np.bincount(touched, minlength=len(order)).astype(np.int32),
        (pair & 0xFFFFFFFF).astype(np.int32),
    )


def references(cells: Cells) -> tuple[Coordinates, Coordinates]:
    """Longitude and latitude of the cells' references, to the last bit as the compiled kernel has them."""
    width, height = cells.sizes()
    return (cells.column + EAST) * width - 180.0, (cells.row + NORTH) * height - 90.0
