"""The rings of polygons as columns of vertices, and which of their edges lines meet."""

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area, PolygonArea
from geofence.paths.boxes import Boxes, Pairs, overlap
from geofence.paths.growing import Growing
from geofence.paths.orientation import Point
from geofence.paths.paths import FlatPaths, Numbers, Sides, sides

MOST_FORGOTTEN = 100_000
"""Vertices of outlines that are no more, or half of all if that is more; then all are taken in anew."""


class Outlines:
    """The rings of areas under their keys, and their boxes: 20 bytes a vertex, and as much again to grow.

    Vertex i and the next are edge i, unless i `closes` its ring. Areas are taken in when they are first asked
    for.
    """

    def __init__(self) -> None:
        self._clear()

    def numbers(self, keys: NDArray[np.int32], areas: Mapping[int, Area]) -> Numbers:
        """The numbers of the outlines of these areas, whose keys are all different; -1 of a circle."""
        polygons = {
            key: area
            for key in keys.tolist()
            if key not in self._number and isinstance(area := areas[key], PolygonArea)
        }
        if polygons:
            self._add(polygons)
        return np.array([self._number.get(key, -1) for key in keys.tolist()], np.int64)

    def discard(self, key: int) -> None:
        """Forget an outline; one that is not there is no error."""
        number = self._number.pop(key, None)
        if number is not None:
            self._forgotten += int(self._vertices.rows[number])
            if self._forgotten > max(MOST_FORGOTTEN, len(self._x) // 2):
                self._clear()

    def sizes(self, number: Numbers) -> Numbers:
        """How many vertices outlines have."""
        return self._vertices.rows[number].astype(np.int64)

    def edge(self, edge: Numbers) -> tuple[Point, Point]:
        """Where edges begin and end: longitudes and latitudes."""
        x, y = self._x.rows, self._y.rows
        return (x[edge], y[edge]), (x[edge + 1], y[edge + 1])

    def edges(self, number: int) -> Numbers:
        """All edges of an outline."""
        start, count = int(self._start.rows[number]), int(self._vertices.rows[number])
        return start + np.flatnonzero(~self._closes.rows[start : start + count])

    def near(self, lines: FlatPaths, number: Numbers) -> Pairs:
        """Pairs of a line, each beside the number of its outline, and an edge of that whose box it meets."""
        return self._overlapping(lines.sides(), *self._boxes.near(lines, number))

    def within(self, boxes: Sides, number: Numbers) -> Pairs:
        """The same for boxes instead of lines."""
        return self._overlapping(boxes, *self._boxes.within(boxes, number))

    def _overlapping(self, boxes: Sides, box: Numbers, edge: Numbers) -> Pairs:
        real = ~self._closes.rows[edge]
        box, edge = box[real], edge[real]
        (x, y), (to_x, to_y) = self.edge(edge)
        meet = overlap(boxes, box, sides(x, y, to_x, to_y))
        return box[meet], edge[meet]

    def _clear(self) -> None:
        self._number: dict[int, int] = {}
        self._start, self._vertices = Growing(np.int64), Growing(np.int64)  # of each outline
        self._x, self._y, self._closes = Growing(np.float64), Growing(np.float64), Growing(np.bool_)
        self._boxes = Boxes()
        self._forgotten = 0

    def _add(self, found: Mapping[int, PolygonArea]) -> None:
        """Poles that an area reaches are lines, and rings as others are."""
        areas, count = list(found.values()), len(self._start)
        self._number.update(zip(found, range(count, count + len(areas)), strict=True))
        polygons = np.array([polygon for area in areas for polygon in area.polygons], np.object_)
        owner = np.repeat(np.arange(len(areas)), [len(area.polygons) for area in areas])
        rings, polygon = shapely.get_rings(polygons, return_index=True)
        coordinates, ring = shapely.get_coordinates(rings, return_index=True)
        x, y = np.ascontiguousarray(coordinates.T)
        closes = np.append(ring[1:] != ring[:-1], True)
        to_x, to_y = (np.where(closes, column, np.roll(column, -1)) for column in (x, y))
        vertices = np.bincount(owner[polygon[ring]], minlength=len(areas))
        start = len(self._x) + np.cumsum(vertices) - vertices
        self._boxes.add(start, vertices, sides(x, y, to_x, to_y))
        for column, rows in (
            (self._start, start),
            (self._vertices, vertices),
            (self._x, x),
            (self._y, y),
            (self._closes, closes),
        ):
            column.add(rows)
