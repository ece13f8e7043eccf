"""Covers of polygons, found from their edges, for many polygons together and level by level.

A cell that no edge touches lies wholly inside or wholly outside, which its middle tells. The others are
quartered, each quarter is given the edges of its parent that touch it, and so on, until a polygon has as many
crossed cells as it may have, or as many pairs of a cell and an edge: long edges touch many cells each. An
edge touches a cell if their boxes overlap and the cell's corners are not all on one side of it; both tests
allow for HAIR, so none is missed.
"""

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.cells.cover import Cover, cover_of
from geofence.cells.crossed_cells import CrossedCells, TouchedCells, crossed_cells
from geofence.cells.grid import HAIR, LEVELS, Cells, Coordinates, Integers, cells_around
from geofence.cells.steps import BetweenSteps, go_on
from geofence.columns.chunks import chunks
from geofence.columns.ranges import ranges
from geofence.earth.edges import Edges, ring_edges_and_vertices

EDGES_AT_ONCE = 100_000

PAIRS = 4
"""Of a crossed cell and an edge: about as many at most for each vertex and each crossed cell allowed."""

Numbers = NDArray[np.intp]


def polygon_cover(
    polygons: NDArray[np.object_],
    most: Integers,
    between_steps: BetweenSteps = go_on,
    crossed: list[CrossedCells] | None = None,
) -> Cover:
    """The cover of n polygons (degrees); each may have `most` (n) crossed cells, give or take four.

    Where `crossed` is a list, its crossed cells are put there.
    """
    vertices = shapely.get_num_coordinates(polygons)
    first_vertex = np.cumsum(vertices) - vertices
    parts = []
    for chunk in chunks(vertices + most, EDGES_AT_ONCE):
        noted: list[TouchedCells] | None = None if crossed is None else []
        own = shapely.force_2d(polygons[chunk])  # copies: GEOS's prepared polygons are not for two threads
        shapely.prepare(own)
        cover = Cover.joined(list(_covers(own, most[chunk], between_steps, noted))).merged()
        parts.append(cover.shifted(chunk.start))
        if crossed is not None and noted:
            crossed.append(crossed_cells(own, noted).shifted(chunk.start, first_vertex[chunk.start]))
    return Cover.joined(parts)


def _covers(
    own: NDArray[np.object_],
    most: Integers,
    between_steps: BetweenSteps,
    noted: list[TouchedCells] | None,
) -> Iterator[Cover]:
    """Of some polygons, which are prepared; crossed cells are put into `noted`."""
    most_pairs = PAIRS * (shapely.get_num_coordinates(own) + most)
    edges, vertex = ring_edges_and_vertices(own)
    polygon, cells = cells_around(shapely.bounds(own))
    # by polygon, and so for good: each is tested while it is in the cache
    by_polygon = np.argsort(polygon, kind="stable")
    polygon, cells = polygon[by_polygon], cells.take(by_polygon)
    pairs = _first_pairs(polygon, cells, edges)
    while len(cells.level):
        between_steps()
        cell, edge = _quartered(*pairs, cells, edges)
        polygon, cells = np.repeat(polygon, 4), cells.quarters()
        crossed = np.zeros(len(polygon), np.bool_)
        crossed[cell] = True

        whole = np.flatnonzero(~crossed)
        whole = whole[shapely.intersects_xy(own[polygon[whole]], *cells.take(whole).centres())]
        yield cover_of(polygon[whole], cells.take(whole), crossed=False)

        many = 2 * np.bincount(polygon[crossed], minlength=len(own)) > most
        many |= np.bincount(polygon[cell], minlength=len(own)) > most_pairs
        last = crossed & (many[polygon] | (cells.level == LEVELS))
        yield cover_of(polygon[last], cells.take(last), crossed=True)
        if noted is not None:
            number, here = np.cumsum(last) - 1, last[cell]
            noted.append(
                TouchedCells(polygon[last], cells.take(last), number[cell[here]], vertex[edge[here]])
            )

        going = crossed & ~last
        number = np.cumsum(going) - 1
        kept = going[cell]
        pairs = number[cell[kept]], edge[kept]
        polygon, cells = polygon[going], cells.take(going)


def _first_pairs(polygon: Numbers, cells: Cells, edges: Edges) -> tuple[Numbers, Numbers]:
    """Numbers of cells, which come by polygon, and beside each that of an edge whose box touches it."""
    count = np.bincount(polygon, minlength=int(edges.owner.max(initial=-1)) + 1)
    first = np.cumsum(count) - count
    edge = np.repeat(np.arange(len(edges)), count[edges.owner])
    cell = ranges(first[edges.owner], count[edges.owner])
    longitude, latitude = cells.centres()
    width, height = cells.sizes()
    near = _overlaps(edges.longitude[edge] - longitude[cell], edges.longitude_step[edge], width[cell] / 2)
    near &= _overlaps(edges.latitude[edge] - latitude[cell], edges.latitude_step[edge], height[cell] / 2)
    return cell[near], edge[near]


def _overlaps(start: Coordinates, along: Coordinates, reach: Coordinates) -> NDArray[np.bool_]:
    """Whether start .. start + along and -reach .. reach overlap, or almost."""
    low, high = np.minimum(start, start + along), np.maximum(start, start + along)
    return (low <= reach + HAIR) & (high >= -reach - HAIR)


def _quartered(cell: Numbers, edge: Numbers, cells: Cells, edges: Edges) -> tuple[Numbers, Numbers]:
    """Pairs of a cell and an edge that touches it become those of its quarters, numbered as in `quarters`."""
    longitude, latitude = cells.centres()
    width, height = cells.sizes()
    reach_x, reach_y = width[cell] / 4, height[cell] / 4
    x, y, dx, dy = (
        edges.longitude[edge] - longitude[cell],
        edges.latitude[edge] - latitude[cell],
        edges.longitude_step[edge],
        edges.latitude_step[edge],
    )
    side = dy * x - dx * y  # of the middle; along its normal, in units of the edge's length
    across, up = dy * reach_x, dx * reach_y
    allowed = np.abs(across) + np.abs(up) + HAIR * (np.abs(dx) + np.abs(dy))
    in_column = [np.minimum(x, x + dx) <= HAIR, np.maximum(x, x + dx) >= -HAIR]  # the box touches the cell
    in_row = [np.minimum(y, y + dy) <= HAIR, np.maximum(y, y + dy) >= -HAIR]
    found = []
    for quarter in range(4):
        east, north = quarter & 1, quarter >> 1
        moved = side - (across if east else -across) + (up if north else -up)
        at = np.flatnonzero(in_column[east] & in_row[north] & (np.abs(moved) <= allowed))
        found.append((4 * cell[at] + quarter, edge[at]))
    return np.concatenate([at for at, _ in found]), np.concatenate([of for _, of in found])
