"""The cell index in the compiled kernel: leaves as numpy has them, but for crossed cells with their edges."""

from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area_columns import AreaColumns, Pairs
from geofence.cells.crossed_cells import CrossedCells
from geofence.cells.grid import CODE_BITS
from geofence.cells.leaves import Leaves, Named
from geofence.kernels import Library

OPEN, INSIDE = 64, 128
"""Marks of a cell beside its level: GEOS is to decide, its reference is inside."""

MOST_EDGES = 100
"""Of a cell. Where more touch it GEOS, whose prepared polygons have trees of edges, is quicker."""


class CompiledCells:
    """Areas in cells, as columns of which the library reads."""

    def __init__(
        self, library: Library, areas: AreaColumns, columns: tuple[NDArray[np.generic], ...]
    ) -> None:
        self._library, self._areas, self._columns = library, areas, columns

    @classmethod
    def of(cls, library: Library, areas: AreaColumns, leaves: Leaves, crossed: CrossedCells) -> Self:
        """Of leaves that list areas and, as `names` has it, the crossed cells of the polygons among them."""
        columns = (
            *leaves.parts,
            _leaves(leaves),
            leaves.area,
            areas.key,
            areas.discarded,
            areas.circles.chords().ravel(),
            _cells(crossed),
            crossed.vertex,
            shapely.get_coordinates(areas.polygons).ravel(),
        )
        return cls(library, areas, columns)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        """The pairs of a position (degrees, length n) and an area that contains it, by position, then key."""
        longitude, latitude = np.ascontiguousarray(longitude), np.ascontiguousarray(latitude)
        found = self._library.look_up(longitude, latitude, *self._columns)
        position, key = np.frombuffer(found[0], np.int64), np.frombuffer(found[1], np.int32)
        pair, area = np.frombuffer(found[2], np.int64), np.frombuffer(found[3], np.int32)
        if len(pair):
            held = pair[self._areas.contain(position[pair], area.astype(np.int64), longitude, latitude)]
            _, once = np.unique(position[held] << 32 | key[held], return_index=True)
            kept = np.ones(len(position), np.bool_)
            kept[pair] = False
            kept[held[once]] = True
            if not kept.all():
                position, key = position[kept], key[kept]
        return position, key


def _leaves(leaves: Leaves) -> NDArray[np.int64]:
    """Of each leaf its first code, and where its areas begin and where those that are crossed."""
    columns = [("start", np.int64), ("whole", np.int32), ("crossed", np.int32)]
    records = np.empty(len(leaves.start) + 1, columns)
    records["start"][:-1], records["start"][-1] = leaves.start, 1 << CODE_BITS
    records["whole"] = leaves.whole
    records["crossed"][:-1], records["crossed"][-1] = leaves.crossed, leaves.whole[-1]
    return records.view(np.int64)


def _cells(crossed: CrossedCells) -> NDArray[np.int64]:
    """Of each crossed cell its polygon and first code, where its edges begin, and its level and marks."""
    columns = [("cell", np.int64), ("first", np.int32), ("look", np.int32)]
    records = np.empty(len(crossed.cell) + 1, columns)
    records["cell"][:-1], records["cell"][-1] = crossed.cell, np.iinfo(np.int64).max
    records["first"][0] = 0
    np.cumsum(crossed.edges, out=records["first"][1:])
    look = crossed.level | np.where(crossed.inside, np.uint8(INSIDE), np.uint8(0))
    look |= np.where(crossed.edges > MOST_EDGES, np.uint8(OPEN), np.uint8(0))
    records["look"][:-1], records["look"][-1] = look, 0
    return records.view(np.int64)


def names(areas: AreaColumns, crossed: CrossedCells) -> Named:
    """In the place of a polygon its crossed cell in which the leaf begins, numbered behind the areas.

    Where the leaf goes over several of them, that is the first.
    """

    def named(area: NDArray[np.int64], code: NDArray[np.int64]) -> NDArray[np.int64]:
        polygons = area < len(areas.polygons)
        sought = area[polygons] << CODE_BITS | code[polygons]
        area[polygons] = len(areas.key) + np.searchsorted(crossed.cell, sought, side="right") - 1
        return area

    return named
