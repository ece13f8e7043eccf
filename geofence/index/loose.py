"""Loose areas: a few geofences that came just now, in an R-tree that can change."""

import numpy as np
from numpy.typing import NDArray
from rtree.index import Index

from geofence.areas.area import Area
from geofence.areas.area_columns import Pairs


class LooseAreas:
    """Areas under their keys. What is put is planted in the tree by the next search."""

    def __init__(self) -> None:
        self._areas: dict[int, Area] = {}
        self._planted: set[int] = set()
        self._tree = Index()

    def __len__(self) -> int:
        return len(self._areas)

    def put(self, key: int, area: Area) -> None:
        """Add an area, or put it in the place of the one that has this key."""
        self.discard(key)
        self._areas[key] = area

    def discard(self, key: int) -> None:
        """Forget an area; one that is not there is no error."""
        area = self._areas.pop(key, None)
        if area is not None and key in self._planted:
            for box in area.boxes:
                self._tree.delete(key, box)
            self._planted.discard(key)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        """The pairs of a position (degrees, length n) and an area that contains it, in no order."""
        positions, keys = [np.empty(0, np.intp)], [np.empty(0, np.int32)]
        if self._areas and len(longitude):
            self._plant()
            bounds = (longitude.min(), latitude.min(), longitude.max(), latitude.max())
            for key in set(self._tree.intersection(bounds)):
                found = np.flatnonzero(self._areas[key].contains(longitude, latitude))
                positions.append(found)
                keys.append(np.full(len(found), key, np.int32))
        return np.concatenate(positions), np.concatenate(keys)

    def near(self, boxes: NDArray[np.float64]) -> Pairs:
        """The pairs of a box (n x 4, degrees) and an area that it may meet, in no order, some twice."""
        numbers, keys = [np.empty(0, np.intp)], [np.empty(0, np.int32)]
        for key, area in self._areas.items():
            for west, south, east, north in area.boxes:
                meets = (boxes[:, 0] <= east) & (boxes[:, 2] >= west)
                found = np.flatnonzero(meets & (boxes[:, 1] <= north) & (boxes[:, 3] >= south))
                numbers.append(found)
                keys.append(np.full(len(found), key, np.int32))
        return np.concatenate(numbers), np.concatenate(keys)

    def _plant(self) -> None:
        for key in self._areas.keys() - self._planted:
            for box in self._areas[key].boxes:
                self._tree.insert(key, box)
            self._planted.add(key)
