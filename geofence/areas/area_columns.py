"""Areas as columns: the exact test of many positions against many areas at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area, CircleArea, PolygonArea
from geofence.earth.circle import Circles

Pairs = tuple[NDArray[np.intp], NDArray[np.int32]]
"""Numbers of positions, and beside each the key of a geofence that contains it."""

Coordinates = NDArray[np.float64]


class AreaColumns:
    """Areas under their keys. Entries number the polygons of all, then the circles; `key` is that of each.

    `boxes` (n x 4, degrees) hold the areas, `entry` says which: one a polygon, one or two a circle.
    `discarded` marks entries that are found no more.
    """

    def __init__(self, areas: Mapping[int, Area]) -> None:
        polygons = [
            (key, box, polygon)
            for key, area in areas.items()
            if isinstance(area, PolygonArea)
            for box, polygon in zip(area.boxes, area.polygons, strict=True)
        ]
        circles = [(key, area) for key, area in areas.items() if isinstance(area, CircleArea)]
        self.key = np.array([key for key, *_ in [*polygons, *circles]], np.int32)
        self.polygons = np.array([polygon for _, _, polygon in polygons], np.object_)
        self.circles = Circles(
            *(np.array([getattr(area, name) for _, area in circles], np.float64) for name in CIRCLE_COLUMNS)
        )
        of_circles = [(at, box) for at, (_, area) in enumerate(circles, len(polygons)) for box in area.boxes]
        self.entry = np.array([*range(len(polygons)), *(at for at, _ in of_circles)], np.int64)
        boxes = [*(box for _, box, _ in polygons), *(box for _, box in of_circles)]
        self.boxes = np.array(boxes, np.float64).reshape(-1, 4)
        self._by_key = np.argsort(self.key, kind="stable")
        self._keys = self.key[self._by_key]
        self.discarded = np.zeros(len(self.key), np.bool_)
        self._any_discarded = False

    def __len__(self) -> int:
        return len(self.key)

    def discard(self, key: int) -> None:
        """Find this geofence no more; one that is not there is no error."""
        first, end = bisect_left(self._keys, key), bisect_right(self._keys, key)
        if first < end:
            self.discarded[self._by_key[first:end]] = True
            self._any_discarded = True

    def kept(self, position: NDArray[np.intp], entry: NDArray[np.intp]) -> Pairs:
        """Pairs of a position and an entry that contains it, but for those of discarded geofences."""
        if self._any_discarded:
            kept = ~self.discarded[entry]
            position, entry = position[kept], entry[kept]
        return position, self.key[entry]

    def contain(
        self,
        position: NDArray[np.int64],
        entry: NDArray[np.int64],
        longitude: Coordinates,
        latitude: Coordinates,
    ) -> NDArray[np.bool_]:
        """Whether the entry of each of m pairs contains the position (degrees, length n)."""
        inside = np.empty(len(entry), np.bool_)
        circle = entry >= len(self.polygons)
        where = position[~circle]
        inside[~circle] = shapely.intersects_xy(
            self.polygons[entry[~circle]], longitude[where], latitude[where]
        )
        where, of = position[circle], entry[circle] - len(self.polygons)
        inside[circle] = self.circles.contain(of, longitude[where], latitude[where])
        return inside

    def containing(
        self,
        position: NDArray[np.intp],
        entry: NDArray[np.intp],
        longitude: Coordinates,
        latitude: Coordinates,
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Those of m pairs whose entry contains the position (degrees, length n), by entry.

        Positions of one polygon are tested one after the other, while it is in the processor's cache.
        """
        pair = np.sort(entry << 32 | position)
        position, entry = pair & 0xFFFFFFFF, pair >> 32
        split = int(np.searchsorted(entry, len(self.polygons)))
        inside = np.empty(len(entry), np.bool_)
        where = position[:split]
        inside[:split] = shapely.intersects_xy(
            self.polygons[entry[:split]], longitude[where], latitude[where]
        )
        where = position[split:]
        circle = entry[split:] - len(self.polygons)
        inside[split:] = self.circles.contain(circle, longitude[where], latitude[where])
        return position[inside], entry[inside]


CIRCLE_COLUMNS = ("longitude", "latitude", "radius")
