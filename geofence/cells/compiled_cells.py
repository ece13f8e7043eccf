"""The cell index in the compiled kernel: leaves as numpy has them, but for crossed cells with their edges."""

from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area_columns import AreaColumns, Pairs
from geofence.cells.crossed_cells import CrossedCells
from geofence.cells.grid import LEVELS
from geofence.cells.leaves import PAIRS_AT_ONCE, Leaves
from geofence.columns.chunks import chunks
from geofence.columns.ranges import ranges
from geofence.kernels import Library

CODE_BITS = 2 * LEVELS
OPEN, INSIDE = 64, 128
"""Marks of a cell beside its level: GEOS is to decide, its reference is inside."""

MOST_EDGES = 100
"""Of a cell. Where more touch it GEOS, whose prepared polygons have trees of edges, is quicker."""

PARTS_BITS, MOST_BITS = 12, 20
"""Of codes: in so many equal parts they are looked for, and each again in so many at most."""


class CompiledCells:
    """Areas in cells, as columns of which the library reads."""

    def __init__(
        self, library: Library, areas: AreaColumns, columns: tuple[NDArray[np.generic], ...]
    ) -> None:
        self._library, self._areas, self._columns = library, areas, columns

    @classmethod
    def of(cls, library: Library, areas: AreaColumns, leaves: Leaves, parts: list[CrossedCells]) -> Self:
        """Of the leaves of areas, with the crossed cells of the polygons among them."""
        crossed = CrossedCells.joined(parts)
        cell = crossed.polygon.astype(np.int64) << CODE_BITS | crossed.start
        order = np.argsort(cell)
        crossed, cell = crossed.take(order), cell[order]
        many = crossed.edges > MOST_EDGES
        look = crossed.level | np.where(crossed.inside, INSIDE, 0) | np.where(many, OPEN, 0)
        columns = (
            *_parts(leaves.start),
            _leaves(leaves),
            _listed(leaves, areas, cell),
            areas.key,
            areas.discarded,
            areas.circles.chords().ravel(),
            _cells(cell, crossed.edges, look.astype(np.int64)),
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


def _parts(start: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where to look for a code: in equal parts of all codes, each again in as many as it has leaves, or more.

    First, where the smaller parts of each begin, and where the last one's end; then of each smaller part the
    leaf in which it begins, with the last leaf behind them.
    """
    shift = CODE_BITS - PARTS_BITS
    part = np.arange((1 << PARTS_BITS) + 1) << shift
    leaves = np.diff(np.searchsorted(start, part))
    bits = np.minimum(np.frexp(leaves.astype(np.float64))[1], MOST_BITS).astype(np.int64)
    count = np.int64(1) << bits
    within = ranges(np.zeros(len(count), np.int64), count) << np.repeat(shift - bits, count)
    code = np.append(np.repeat(part[:-1], count) + within, part[-1])
    leaf = np.searchsorted(start, code, side="right") - 1
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int32), leaf.astype(np.int32)


def _leaves(leaves: Leaves) -> NDArray[np.int64]:
    """Of each leaf its first code, and where its areas begin and where those that are crossed."""
    columns = [("start", np.int64), ("whole", np.int32), ("crossed", np.int32)]
    records = np.empty(len(leaves.start) + 1, columns)
    records["start"][:-1], records["start"][-1] = leaves.start, 1 << CODE_BITS
    records["whole"] = leaves.whole
    records["crossed"][:-1], records["crossed"][-1] = leaves.crossed, leaves.whole[-1]
    return records.view(np.int64)


def _cells(cell: NDArray[np.int64], edges: NDArray[np.int32], look: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each crossed cell its polygon and first code, where its edges begin, and its level and marks."""
    records = np.empty(len(cell) + 1, [("cell", np.int64), ("first", np.int32), ("look", np.int32)])
    records["cell"][:-1], records["cell"][-1] = cell, np.iinfo(np.int64).max
    records["first"] = np.concatenate([[0], np.cumsum(edges)])
    records["look"][:-1], records["look"][-1] = look, 0
    return records.view(np.int64)


def _listed(leaves: Leaves, areas: AreaColumns, cell: NDArray[np.int64]) -> NDArray[np.int32]:
    """What leaves list, with crossed cells, numbered behind the areas, in the place of crossed polygons."""
    listed = leaves.area.copy()
    count = leaves.whole[1:] - leaves.crossed
    for rows in chunks(count.astype(np.int64), PAIRS_AT_ONCE):
        at = ranges(leaves.crossed[rows], count[rows])
        start = np.repeat(leaves.start[rows], count[rows])
        polygons = listed[at] < len(areas.polygons)
        at, start = at[polygons], start[polygons]
        sought = listed[at].astype(np.int64) << CODE_BITS | start
        listed[at] = len(areas.key) + np.searchsorted(cell, sought, side="right") - 1
    return listed
