"""The packed R-tree: geofences that stay as they are, searched for many positions at once."""

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.area import Area, CircleArea, PolygonArea
from geofence.circle import Box, Circles

Pairs = tuple[NDArray[np.intp], NDArray[np.int32]]
"""Numbers of positions, and beside each the key of a geofence that contains it."""


class PackedAreas:
    """Areas under their keys, in an R-tree over boxes: one box a polygon, one or two a circle.

    The tree only finds the boxes that a position lies in. What lies in the area itself is then decided
    for all pairs together, by GEOS on prepared polygons and by `Circles`.
    """

    def __init__(self, areas: Mapping[int, Area]) -> None:
        polygons, circles = _polygon_entries(areas), _circle_entries(areas)
        self._key = np.array([key for key, *_ in [*polygons, *circles]], np.int32)
        self._polygon = np.array([polygon for _, _, polygon in polygons], np.object_)
        self._circles = Circles(
            *(np.array([getattr(area, name) for *_, area in circles], np.float64) for name in CIRCLE_COLUMNS)
        )
        boxes = np.array([box for _, box, _ in [*polygons, *circles]], np.float64).reshape(-1, 4)
        self._tree = shapely.STRtree(shapely.box(*boxes.T))
        self._discarded = np.zeros(len(self._key), np.bool_)
        self.discarded = 0

    def discard(self, key: int) -> None:
        """Find this geofence no more; one that is not there is no error."""
        entries = self._key == key
        self.discarded += int(np.any(entries & ~self._discarded))
        self._discarded |= entries

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        """The pairs of a position (degrees, length n) and an area that contains it, in no order.

        A pair may come twice, where parts of an area touch.
        """
        position, entry = self._tree.query(shapely.points(longitude, latitude))
        if self.discarded:
            kept = ~self._discarded[entry]
            position, entry = position[kept], entry[kept]
        inside = np.empty(len(entry), np.bool_)
        of_circle = entry >= len(self._polygon)
        at = np.flatnonzero(~of_circle)
        where = position[at]
        inside[at] = shapely.intersects_xy(self._polygon[entry[at]], longitude[where], latitude[where])
        at = np.flatnonzero(of_circle)
        where = position[at]
        inside[at] = self._circles.contain(entry[at] - len(self._polygon), longitude[where], latitude[where])
        return position[inside], self._key[entry[inside]]


CIRCLE_COLUMNS = ("longitude", "latitude", "radius")


def _polygon_entries(areas: Mapping[int, Area]) -> list[tuple[int, Box, shapely.Polygon]]:
    return [
        (key, box, polygon)
        for key, area in areas.items()
        if isinstance(area, PolygonArea)
        for box, polygon in zip(area.boxes, area.polygons, strict=True)
    ]


def _circle_entries(areas: Mapping[int, Area]) -> list[tuple[int, Box, CircleArea]]:
    return [
        (key, box, area) for key, area in areas.items() if isinstance(area, CircleArea) for box in area.boxes
    ]
