"""The cell index: a position's cell says in which areas it lies, but for those whose boundary crosses it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area
from geofence.areas.area_columns import AreaColumns, Pairs
from geofence.cells.circle_cover import circle_cover
from geofence.cells.compiled_cells import CompiledCells, names
from geofence.cells.cover import Cover
from geofence.cells.crossed_cells import CrossedCells
from geofence.cells.grid import cell_columns, morton_code
from geofence.cells.leaves import Leaves
from geofence.cells.polygon_cover import polygon_cover
from geofence.cells.steps import BetweenSteps, go_on
from geofence.kernels import Kernel, chosen

POSITIONS_BITS = 17
POSITIONS = 1 << POSITIONS_BITS
"""Looked up together at most."""

CIRCLE_VERTICES = 32
"""What a circle counts for."""

CELLS_OF_ALL, LEAST_CELLS, MOST_CELLS = 600_000, 24, 512
"""Crossed cells that areas share evenly, within these bounds for each, beside one for each vertex."""

BYTES_A_VERTEX, LEAST_BYTES = 128, 64 << 20
"""What leaves may take. A set of areas that overlap so much that they would need more has no cell index."""


class CellIndex:
    """Areas under their keys, in cells. Nothing changes but that areas may be discarded."""

    def __init__(self, areas: AreaColumns, leaves: Leaves | CompiledCells) -> None:
        self._areas, self._leaves = areas, leaves

    @classmethod
    def of(
        cls,
        areas: Mapping[int, Area],
        least_bytes: int = LEAST_BYTES,
        between_steps: BetweenSteps = go_on,
        kernel: Kernel | None = None,
    ) -> Self | None:
        """The index of some areas, or None if they would need more memory than is allowed."""
        columns = AreaColumns(areas)
        vertices = _vertices(columns)
        between_steps()
        library = chosen(kernel).library
        most_bytes = max(BYTES_A_VERTEX * vertices, least_bytes)
        if library is None:
            leaves = Leaves.of(_cover(columns, between_steps), most_bytes)
            return None if leaves is None else cls(columns, leaves)
        parts: list[CrossedCells] = []
        cover = _cover(columns, between_steps, parts)
        crossed = CrossedCells.joined(parts)
        del parts  # here and below: while memory is short
        leaves = Leaves.of(cover, most_bytes, names(columns, crossed))
        del cover
        if leaves is None:
            return None
        between_steps()
        return cls(columns, CompiledCells.of(library, columns, leaves, crossed))

    @property
    def in_order(self) -> bool:
        """Whether answers come by position, then key, each pair once."""
        return isinstance(self._leaves, CompiledCells)

    def discard(self, key: int) -> None:
        """Find this geofence no more; one that is not there is no error."""
        self._areas.discard(key)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        """The pairs of a position (degrees, length n) and an area that contains it, in no order.

        A pair may come twice, where parts of an area touch; see `in_order`.
        """
        if isinstance(self._leaves, CompiledCells):
            return self._leaves.containing(longitude, latitude)
        found = [(np.empty(0, np.int64), np.empty(0, np.int32))]
        for start in range(0, len(longitude), POSITIONS):
            part = slice(start, start + POSITIONS)
            position, key = self._containing(longitude[part], latitude[part], self._leaves)
            found.append((position + start, key))
        return np.concatenate([position for position, _ in found]), np.concatenate([key for _, key in found])

    def near(self, boxes: NDArray[np.float64]) -> Pairs:
        """The pairs of a box (n x 4, degrees) and an area that it may meet, in no order, some twice."""
        number, box = self._tree.query(shapely.linestrings(boxes.reshape(-1, 2, 2)))
        return self._areas.kept(number, self._areas.entry[box])

    @cached_property
    def _tree(self) -> shapely.STRtree:
        """Over the boxes of the areas; made when it is first needed."""
        return shapely.STRtree(shapely.linestrings(self._areas.boxes.reshape(-1, 2, 2)))

    def _containing(
        self, longitude: NDArray[np.float64], latitude: NDArray[np.float64], leaves: Leaves
    ) -> Pairs:
        code = morton_code(*cell_columns(longitude, latitude))
        by_code = np.sort(code << POSITIONS_BITS | np.arange(len(code)))
        held, near = leaves.listed(by_code & POSITIONS - 1, by_code >> POSITIONS_BITS)
        tested = self._areas.containing(*near, longitude, latitude)
        return self._areas.kept(np.concatenate([held[0], tested[0]]), np.concatenate([held[1], tested[1]]))


def _vertices(areas: AreaColumns) -> int:
    return int(shapely.get_num_coordinates(areas.polygons).sum()) + CIRCLE_VERTICES * len(areas.circles)


def _cover(
    areas: AreaColumns, between_steps: BetweenSteps, crossed: list[CrossedCells] | None = None
) -> Cover:
    """The cover of all areas, by their entries."""
    share = min(max(CELLS_OF_ALL // max(len(areas.key), 1), LEAST_CELLS), MOST_CELLS)
    count = len(areas.polygons)
    vertices = shapely.get_num_coordinates(areas.polygons).astype(np.int64)
    polygons = polygon_cover(areas.polygons, share + vertices, between_steps, crossed)
    circle, boxes = areas.entry[count:] - count, areas.boxes[count:]
    circles = circle_cover(areas.circles, circle, boxes, share + CIRCLE_VERTICES, between_steps)
    return Cover.joined([polygons, circles.shifted(count)])
