"""Which geofences contain a position: a packed R-tree for the bulk, a small one for what changed since."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rtree.index import Index

from geofence.area import Area, area_of
from geofence.geofence import Geofence
from geofence.packed import PackedAreas, Pairs

MOST_CHANGES = 64
"""Changes kept beside the packed tree, or one for each hundred geofences where that is more.

With more than these the next search packs everything anew.
"""


@dataclass(frozen=True, slots=True)
class Containment:
    """Every pair of a position and a geofence that contains it, by position, then geofence.

    Both columns have one length: numbers of positions in what was asked, and keys of geofences.
    """

    position: NDArray[np.int64]
    geofence: NDArray[np.int32]


class GeofenceIndex:
    """Geofences under keys from 1 to 2**31 - 1. Exact; the boundary belongs to a geofence."""

    def __init__(self, geofences: Mapping[int, Geofence]) -> None:
        self._areas = {key: area_of(geofence) for key, geofence in geofences.items()}
        self._pack()

    def __len__(self) -> int:
        return len(self._areas)

    def __contains__(self, key: object) -> bool:
        return key in self._areas

    def put(self, key: int, geofence: Geofence) -> None:
        """Add a geofence, or put it in the place of the one that has this key."""
        area = area_of(geofence)
        self.discard(key)
        self._areas[key] = self._changed[key] = area

    def discard(self, key: int) -> None:
        """Forget a geofence; one that is not there is no error."""
        if self._areas.pop(key, None) is None:
            return
        if key in self._changed:
            self._unplant(key)
            del self._changed[key]
        else:
            self._packed.discard(key)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Containment:
        """All pairs of a position (degrees, length n) and a geofence that contains it.

        A position at longitude 180 or -180 is tested on both sides of the antimeridian.
        """
        if len(self._changed) + self._packed.discarded > max(MOST_CHANGES, len(self) // 100):
            self._pack()
        seam = np.flatnonzero(np.abs(longitude) == 180)
        count = len(longitude)
        if len(seam):
            longitude = np.concatenate([longitude, -longitude[seam]])
            latitude = np.concatenate([latitude, latitude[seam]])
        position, geofence = self._packed.containing(longitude, latitude)
        if self._changed and len(longitude):
            changed = self._containing_changed(longitude, latitude)
            position = np.concatenate([position, changed[0]])
            geofence = np.concatenate([geofence, changed[1]])
        if len(seam):
            position = np.concatenate([np.arange(count), seam])[position]
        return _in_order(position, geofence)

    def _pack(self) -> None:
        self._packed = PackedAreas(self._areas)
        self._changed: dict[int, Area] = {}
        self._planted: set[int] = set()
        self._tree = Index()

    def _containing_changed(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Pairs:
        for key in self._changed.keys() - self._planted:
            self._plant(key)
        bounds = (longitude.min(), latitude.min(), longitude.max(), latitude.max())
        positions, geofences = [np.empty(0, np.intp)], [np.empty(0, np.int32)]
        for key in set(self._tree.intersection(bounds)):
            found = np.flatnonzero(self._changed[key].contains(longitude, latitude))
            positions.append(found)
            geofences.append(np.full(len(found), key, np.int32))
        return np.concatenate(positions), np.concatenate(geofences)

    def _plant(self, key: int) -> None:
        for box in self._changed[key].boxes:
            self._tree.insert(key, box)
        self._planted.add(key)

    def _unplant(self, key: int) -> None:
        if key in self._planted:
            for box in self._changed[key].boxes:
                self._tree.delete(key, box)
            self._planted.discard(key)


def _in_order(position: NDArray[np.intp], geofence: NDArray[np.int32]) -> Containment:
    """Pairs by position, then geofence, each once."""
    pair = position.astype(np.int64) << 32 | geofence
    pair.sort()
    repeated = pair[1:] == pair[:-1]
    if repeated.any():
        pair = pair[np.concatenate([[True], ~repeated])]
    return Containment(position=pair >> 32, geofence=pair.astype(np.int32))
