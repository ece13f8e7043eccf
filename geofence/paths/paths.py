"""Paths from one position to another: straight in longitude and latitude, as the edges of polygons are."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.earth.edges import Edges
from geofence.earth.ellipsoid import Column
from geofence.paths.orientation import Point

Numbers = NDArray[np.int64]

Sides = list[Column]
"""West, south, east and north of boxes, degrees."""


@dataclass(frozen=True, slots=True)
class Paths(Table):
    """n paths by where they begin and end (degrees), over the antimeridian where that is the shorter way."""

    from_longitude: Column
    from_latitude: Column
    to_longitude: Column
    to_latitude: Column

    def edges(self) -> Edges:
        """The same as edges, which may go past longitude 180 or -180."""
        east = self.to_longitude - self.from_longitude
        east = np.where(east > 180, east - 360, np.where(east < -180, east + 360, east))
        north = self.to_latitude - self.from_latitude
        return Edges(np.arange(len(self)), self.from_longitude, self.from_latitude, east, north)

    def metres(self, path: Numbers, start: Column, end: Column) -> Column:
        """How long the part of a path between two shares is: right where it is short."""
        speed: Column = np.hypot(*self.edges().take(path).velocity((start + end) / 2))
        return (end - start) * speed

    def at(self, share: Column) -> tuple[Column, Column]:
        """Longitude (-180 to 180) and latitude at a share (0 to 1) of each path, at 0 and 1 its very ends."""
        longitude, latitude = self.edges().at(share)
        longitude = np.where(np.abs(longitude) > 180, longitude - np.copysign(360, longitude), longitude)
        longitude = np.where(share == 1, self.to_longitude, longitude)
        return longitude, np.where(share == 1, self.to_latitude, latitude)


@dataclass(frozen=True, slots=True)
class FlatPaths(Table):
    """Paths as straight lines in the plane where polygons are, in which longitude ends at 180 and -180.

    `path` is the number of each one's path. One that crosses the antimeridian comes twice: from its exact
    start to an end beyond 180 or -180, and from a start beyond to its exact end. One that touches the
    antimeridian comes once for either side. Those of no length are left out.
    """

    path: Numbers
    ax: Column
    ay: Column
    bx: Column
    by: Column

    def ends(self, index: Numbers) -> tuple[Point, Point]:
        """Where the lines of these numbers begin and end."""
        return (self.ax[index], self.ay[index]), (self.bx[index], self.by[index])

    def boxes(self) -> NDArray[np.float64]:
        """West, south, east, north of each (n x 4)."""
        return np.stack(self.sides(), axis=1)

    def sides(self) -> Sides:
        """The same as columns."""
        return sides(self.ax, self.ay, self.bx, self.by)

    @classmethod
    def of(cls, paths: Paths) -> Self:
        """The lines of some paths."""
        ax, ay, bx, by = (getattr(paths, column.name) for column in fields(paths))
        path = np.arange(len(paths))
        turn = np.where(bx - ax > 180, -360.0, np.where(bx - ax < -180, 360.0, 0.0))
        moves = (bx + turn != ax) | (by != ay)
        on_seam = (np.abs(ax) == 180) | (np.abs(bx) == 180)
        if moves.all() and not turn.any() and not on_seam.any():
            return cls(path, ax, ay, bx, by)
        again = np.flatnonzero(moves & ((turn != 0) | on_seam))
        # Without a turn the other side is a whole turn from the end that is on the antimeridian.
        side = np.where(np.abs(ax[again]) == 180, ax[again], bx[again])
        back = np.where(turn[again] != 0, -turn[again], -2 * side)
        first = cls(path, ax, ay, bx + turn, by).take(moves)
        ends = np.where(turn[again] != 0, bx[again], bx[again] + back)
        second = cls(again, ax[again] + back, ay[again], ends, by[again])
        both = ([getattr(part, column.name) for part in (first, second)] for column in fields(cls))
        return cls(*map(np.concatenate, both))


def sides(ax: Column, ay: Column, bx: Column, by: Column) -> Sides:
    """The boxes of lines from a to b."""
    return [np.minimum(ax, bx), np.minimum(ay, by), np.maximum(ax, bx), np.maximum(ay, by)]
