"""Some areas, chosen by their numbers: which of many positions are in the one beside each, and how far."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area, CircleArea, PolygonArea
from geofence.columns.ranges import ranges
from geofence.earth.circle import Circles
from geofence.earth.ellipsoid import Column

Numbers = NDArray[np.intp]


class ChosenAreas:
    """Areas as columns: `is_circle` says what each is, `place` where it is among those of its kind."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self.is_circle = np.array([isinstance(area, CircleArea) for area in areas], np.bool_)
        self.place = np.where(self.is_circle, np.cumsum(self.is_circle), np.cumsum(~self.is_circle)) - 1
        polygons = [area for area in areas if isinstance(area, PolygonArea)]
        circles = [area for area in areas if isinstance(area, CircleArea)]
        columns = [(area.longitude, area.latitude, area.radius) for area in circles]
        self.circles = Circles(*np.array(columns, np.float64).reshape(-1, 3).T)
        self.polygons = np.array([polygon for area in polygons for polygon in area.polygons], np.object_)
        self._count = np.array([len(area.polygons) for area in polygons], np.int64)
        self._first = np.cumsum(self._count) - self._count

    def parts(self, area: Numbers) -> tuple[Numbers, Numbers]:
        """Of n areas that are polygons: numbers from 0 to n, and beside each that of one of its polygons."""
        place = self.place[area]
        count = self._count[place]
        return np.repeat(np.arange(len(area)), count), ranges(self._first[place], count)

    def contain(self, area: Numbers, longitude: Column, latitude: Column) -> NDArray[np.bool_]:
        """Whether each position (degrees) is in the area beside it, as `GeofenceIndex.containing` says."""
        inside = np.zeros(len(area), np.bool_)
        of = np.flatnonzero(self.is_circle[area])
        inside[of] = self.circles.contain(self.place[area[of]], longitude[of], latitude[of])
        of = np.flatnonzero(~self.is_circle[area])
        pair, polygon = self.parts(area[of])
        pair = of[pair]
        inside[pair[shapely.intersects_xy(self.polygons[polygon], longitude[pair], latitude[pair])]] = True
        seam = np.abs(longitude[pair]) == 180
        pair, polygon = pair[seam], polygon[seam]
        inside[pair[shapely.intersects_xy(self.polygons[polygon], -longitude[pair], latitude[pair])]] = True
        return inside
