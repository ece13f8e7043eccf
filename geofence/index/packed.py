"""The packed R-tree: geofences that stay as they are, found by their boxes for many positions at once."""

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area
from geofence.areas.area_columns import AreaColumns, Pairs


class PackedAreas:
    """Areas under their keys, in an R-tree over boxes: quickly built, and as fast as bare GEOS.

    The tree only finds the boxes that a position lies in. What lies in the area itself is then decided
    for all pairs together.
    """

    def __init__(self, areas: Mapping[int, Area]) -> None:
        self._areas = AreaColumns(areas)
        self._tree = shapely.STRtree(shapely.box(*self._areas.boxes.T))

    in_order = False
    """Whether answers come by position, then key, each pair once."""

    def __len__(self) -> int:
        return len(self._areas)

    def discard(self, key: int) -> None:
        """Find this geofence no more; one that is not there is no error."""
        self._areas.discard(key)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        """The pairs of a position (degrees, length n) and an area that contains it, in no order.

        A pair may come twice, where parts of an area touch.
        """
        position, box = self._tree.query(shapely.points(longitude, latitude))
        entry = self._areas.entry[box]
        return self._areas.kept(*self._areas.containing(position, entry, longitude, latitude))

    def near(self, boxes: NDArray[np.float64]) -> Pairs:
        """The pairs of a box (n x 4, degrees) and an area that it may meet, in no order, some twice."""
        number, box = self._tree.query(shapely.linestrings(boxes.reshape(-1, 2, 2)))
        return self._areas.kept(number, self._areas.entry[box])
