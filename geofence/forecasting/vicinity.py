"""Which geofences have boundary near a position: by a ball around each, searched in columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point

from geofence.earth.circle import Circles
from geofence.earth.edges import bounding_edges
from geofence.earth.ellipsoid import earth_centred
from geofence.geofence import Geofence


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of some geofences, and which place each one has among them."""

    of_polygons: NDArray[np.intp]
    polygons: NDArray[np.object_]
    of_circles: NDArray[np.intp]
    circles: Circles


class Vicinity:
    """Geofences under keys from 1 to 2**31 - 1, each in a ball through the Earth that holds its boundary.

    A search looks at each ball, some nanoseconds apiece; nothing has to be rebuilt when geofences change.
    """

    def __init__(self, geofences: Mapping[int, Geofence]) -> None:
        self._geofences = dict(geofences)
        self._key = np.fromiter(self._geofences, np.int32, len(self._geofences))
        self._slot = {key: slot for slot, key in enumerate(self._geofences)}
        self._free: list[int] = []
        self._balls = _balls(list(self._geofences.values()))

    def __len__(self) -> int:
        return len(self._geofences)

    def put(self, key: int, geofence: Geofence) -> None:
        """Add a geofence, or put it in the place of the one that has this key."""
        self.discard(key)
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._geofences[key], self._slot[key], self._key[slot] = geofence, slot, key
        self._balls[:, slot] = _balls([geofence])[:, 0]

    def discard(self, key: int) -> None:
        """Forget a geofence; one that is not there is no error."""
        if self._geofences.pop(key, None) is None:
            return
        slot = self._slot.pop(key)
        self._balls[3, slot] = -np.inf
        self._free.append(slot)

    def within(self, longitude: float, latitude: float, reach: float) -> NDArray[np.int32]:
        """Keys, ascending, of all geofences whose boundary is within `reach` metres, and of some more."""
        return np.sort(self.nearest_first(longitude, latitude, reach)[0])

    def nearest_first(
        self, longitude: float, latitude: float, reach: float
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """The same keys by what their boundary is not nearer than, and that: metres, straight or farther."""
        here = np.concatenate(earth_centred(np.array([longitude]), np.array([latitude])))
        x, y, z, radius = self._balls
        away = np.sqrt((x - here[0]) ** 2 + (y - here[1]) ** 2 + (z - here[2]) ** 2)
        near = np.flatnonzero(away <= radius + reach)
        least = np.maximum(away[near] - radius[near], 0.0)
        order = np.argsort(least, kind="stable")
        return self._key[near[order]], least[order]

    def shapes(self, keys: NDArray[np.int32]) -> Shapes:
        """What these geofences look like."""
        geofences = [self._geofences[key] for key in keys.tolist()]
        is_circle = np.array([geofence.radius is not None for geofence in geofences], np.bool_)
        polygons = np.empty(len(geofences), np.object_)
        polygons[:] = [geofence.geometry for geofence in geofences]
        return Shapes(
            np.flatnonzero(~is_circle), polygons[~is_circle], np.flatnonzero(is_circle), _circles(geofences)
        )

    def _grow(self) -> None:
        count = len(self._key)
        more = max(count, 64)
        empty = np.zeros((4, more))
        empty[3] = -np.inf
        self._balls = np.concatenate([self._balls, empty], axis=1)
        self._key = np.concatenate([self._key, np.zeros(more, np.int32)])
        self._free.extend(range(count, count + more))


ROUNDING = 1e-3
"""Metres by which a ball is larger than it must be: a million times what rounding can do."""


def _balls(geofences: list[Geofence]) -> NDArray[np.float64]:
    """Centre and radius (x, y, z, r; metres) of each geofence's ball; r is -infinity without a boundary."""
    balls = np.full((4, len(geofences)), -np.inf)
    is_circle = np.array([geofence.radius is not None for geofence in geofences], np.bool_)
    circles = _circles(geofences)
    balls[:3, is_circle] = circles.centres()
    balls[3, is_circle] = circles.radius + ROUNDING

    polygons = np.array([geofence.geometry for geofence in geofences], np.object_)[~is_circle]
    edges = bounding_edges(polygons)
    middles = np.stack(earth_centred(*edges.at(0.5)))
    count = np.maximum(np.bincount(edges.owner, minlength=len(polygons)), 1)
    centres = np.stack([np.bincount(edges.owner, axis, len(polygons)) / count for axis in middles])
    radius = np.full(len(polygons), -np.inf)
    away = np.sqrt(((middles - centres[:, edges.owner]) ** 2).sum(axis=0))
    np.maximum.at(radius, edges.owner, away + edges.reach_and_bend()[0] / 2 + ROUNDING)
    balls[:3, ~is_circle], balls[3, ~is_circle] = centres, radius
    return balls


def _circles(geofences: list[Geofence]) -> Circles:
    """The circles among them."""
    columns = [
        (geofence.geometry.x, geofence.geometry.y, geofence.radius)
        for geofence in geofences
        if geofence.radius is not None and isinstance(geofence.geometry, Point)
    ]
    return Circles(*np.array(columns, np.float64).reshape(-1, 3).T)
