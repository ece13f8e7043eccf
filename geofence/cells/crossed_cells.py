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

from geofence.cells.grid import Cells, Coordinates, Integers
from geofence.columns.ranges import ranges

EAST, NORTH = 0.5178, 0.4831
"""Of a cell's width and height: where its reference is (as in compiled/boundaries.c)."""


class CrossedCells(NamedTuple):
    """n crossed cells: number of the polygon, first code, level, whether the reference is inside.

    `edges` (n) is how many edges touch each. These are listed one cell after the other in `vertex`, by the
    first of the two vertices, numbered as in shapely.get_coordinates of the polygons.
    """

    polygon: NDArray[np.int32]
    start: Integers
    level: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    edges: NDArray[np.int32]
    vertex: NDArray[np.int32]

    def shifted(self, polygon: int, vertex: int) -> Self:
        """With polygons and vertices numbered from these on."""
        return self._replace(polygon=self.polygon + np.int32(polygon), vertex=self.vertex + np.int32(vertex))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several in one."""
        return cls(
            np.concatenate([np.empty(0, np.int32), *(part.polygon for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part.start for part in parts)]),
            np.concatenate([np.empty(0, np.uint8), *(part.level for part in parts)]),
            np.concatenate([np.empty(0, np.bool_), *(part.inside for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.edges for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.vertex for part in parts)]),
        )

    def take(self, at: NDArray[np.intp]) -> Self:
        """The cells with these numbers, with their edges."""
        first = np.cumsum(self.edges, dtype=np.int64) - self.edges
        return type(self)(
            self.polygon[at],
            self.start[at],
            self.level[at],
            self.inside[at],
            self.edges[at],
            self.vertex[ranges(first[at], self.edges[at])],
        )


def crossed_cells(
    polygons: NDArray[np.object_],
    polygon: NDArray[np.intp],
    cells: Cells,
    chosen: NDArray[np.bool_],
    cell: NDArray[np.intp],
    vertex: NDArray[np.intp],
) -> CrossedCells:
    """Those chosen of n cells, each of the polygon whose number is beside it.

    `cell` and `vertex` are pairs of a cell and an edge that touches it.
    """
    kept = chosen[cell]
    by_cell = np.argsort(cell[kept], kind="stable")
    of, at = polygon[chosen], cells.take(chosen)
    return CrossedCells(
        of.astype(np.int32),
        at.codes()[0],
        at.level.astype(np.uint8),
        shapely.intersects_xy(polygons[of], *references(at)),
        np.bincount(cell[kept], minlength=len(chosen))[chosen].astype(np.int32),
        vertex[kept][by_cell].astype(np.int32),
    )


def references(cells: Cells) -> tuple[Coordinates, Coordinates]:
    """Longitude and latitude of the cells' references, to the last bit as the compiled kernel has them."""
    width, height = cells.sizes()
    return (cells.column + EAST) * width - 180.0, (cells.row + NORTH) * height - 90.0
