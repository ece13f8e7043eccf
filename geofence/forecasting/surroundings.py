"""The geofences around a position: which contain it, and which could be reached, nearest first.

For forecasts of one device at a time: nothing is built but a box and a ball of each geofence, so that what is
put is there at once, and a search looks at all of these, some nanoseconds apiece.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.areas.area import Area, areas_of
from geofence.earth.ellipsoid import Column
from geofence.forecasting.forecast import Forecast, nearest_boundaries
from geofence.forecasting.vicinity import Vicinity
from geofence.geofence import Geofence

FIRST_LOOK = 64
"""Geofences measured at once at first; then twice as many each time."""


class Place(NamedTuple):
    """Where a page of a forecast ends: metres to what can be reached, else infinity; and the key."""

    distance: float
    geofence: int


START = Place(-1.0, 0)

FARTHEST = 2.1e7
"""Metres: farther than any two places are apart."""

NOTHING = np.empty(0, np.int32)


class Surroundings:
    """Geofences under keys from 1 to 2**31 - 1."""

    def __init__(self, geofences: Mapping[int, Geofence]) -> None:
        self._areas: dict[int, Area] = dict(zip(geofences, areas_of(list(geofences.values())), strict=True))
        self._vicinity = Vicinity(geofences)
        self._columns: tuple[NDArray[np.float64], NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        return len(self._areas)

    def put(self, geofences: Mapping[int, Geofence]) -> None:
        """Add geofences, or put them in the place of those that have these keys."""
        self._columns = None
        self._areas.update(zip(geofences, areas_of(list(geofences.values())), strict=True))
        for key, geofence in geofences.items():
            self._vicinity.put(key, geofence)

    def discard(self, key: int) -> None:
        """Forget a geofence; one that is not there is no error."""
        self._columns = None
        self._areas.pop(key, None)
        self._vicinity.discard(key)

    def containing(self, longitude: float, latitude: float) -> NDArray[np.int32]:
        """Keys, ascending, of the geofences that contain the position (degrees), as GeofenceIndex has it.

        One at longitude 180 or -180 is tested on both sides of the antimeridian.
        """
        sides = {longitude, -longitude} if abs(longitude) == 180 else {longitude}
        found = {
            key for side in sides for key in self._near(side, latitude) if self._has(key, side, latitude)
        }
        return np.array(sorted(found), np.int32)

    def forecast(
        self,
        longitude: float,
        latitude: float,
        speed: float,
        horizon: float,
        limit: int,
        after: Place = START,
        without: NDArray[np.int32] = NOTHING,
    ) -> Forecast:
        """The first `limit` after a place of what `forecast` finds, in its order; the rest is not measured.

        `without` are keys of geofences that do not count.
        """
        inside = np.setdiff1d(self.containing(longitude, latitude), without)
        reach = min(speed * horizon, FARTHEST)
        rows: list[tuple[Place, float]] = []
        reached: set[int] = set()
        for keys, distance, farther in self._measured(longitude, latitude, reach, without):
            within = distance <= reach
            pairs = zip(distance[within].tolist(), keys[within].tolist(), strict=True)
            places = [Place(*pair) for pair in pairs]
            reached.update(place.geofence for place in places)
            rows += [(place, place.distance) for place in places if place > after]
            if sum(place.distance < farther for place, _ in rows) >= limit:
                break
        if len(rows) < limit:
            idle = [Place(np.inf, key) for key in inside.tolist() if key not in reached]
            wanted = [place for place in idle if place > after][: limit - len(rows)]
            keys = np.array([place.geofence for place in wanted], np.int32)
            here = nearest_boundaries(self._vicinity, keys, longitude, latitude, np.inf)
            rows += zip(wanted, here.tolist(), strict=True)
        shown = sorted(rows)[:limit]
        geofence = np.array([place.geofence for place, _ in shown], np.int32)
        distances = np.array([distance for _, distance in shown], np.float64)
        can = np.array([place.distance < np.inf for place, _ in shown], np.bool_)
        seconds = np.full(len(shown), np.nan)
        seconds[can] = distances[can] / (speed or np.nan)
        return Forecast(geofence, np.isin(geofence, inside), distances, seconds)

    def _measured(
        self, longitude: float, latitude: float, reach: float, without: NDArray[np.int32]
    ) -> Iterator[tuple[NDArray[np.int32], Column, float]]:
        """Geofences, the distances of their boundaries, and what all that follow are not nearer than.

        None where nothing can be reached.
        """
        if not reach > 0:
            return
        keys, least = self._vicinity.nearest_first(longitude, latitude, reach)
        counting = ~np.isin(keys, without)
        keys, least = keys[counting], least[counting]
        start, count = 0, FIRST_LOOK
        while start < len(keys):
            some = keys[start : start + count]
            start, count = start + count, 2 * count
            distance = nearest_boundaries(self._vicinity, some, longitude, latitude, reach)
            yield some, distance, float(least[start]) if start < len(keys) else np.inf

    def _near(self, longitude: float, latitude: float) -> list[int]:
        """Keys of geofences with a box that has the position."""
        if self._columns is None:
            boxes = [(key, box) for key, area in self._areas.items() for box in area.boxes]
            bounds = np.array([box for _, box in boxes], np.float64).reshape(-1, 4)
            self._columns = bounds, np.array([key for key, _ in boxes], np.int32)
        (west, south, east, north), keys = self._columns[0].T, self._columns[1]
        near = (west <= longitude) & (longitude <= east) & (south <= latitude) & (latitude <= north)
        found: list[int] = np.unique(keys[near]).tolist()
        return found

    def _has(self, key: int, longitude: float, latitude: float) -> bool:
        return bool(self._areas[key].contains(np.array([longitude]), np.array([latitude]))[0])
