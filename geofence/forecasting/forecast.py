"""What a device may cross next, whichever way it turns, and what it crosses if it keeps its heading.

`forecast` is the maths of Amazon Location's ForecastGeofenceEvents, which knows no heading: whatever the
device can reach within the horizon at its speed. `course_forecast` follows the geodesic of its heading.

Conditions are the caller's: leave out geofences whose band of altitude the device is not in, and those
that do not count for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from geofence.earth.distance import nearest_distances
from geofence.earth.edges import bounding_edges
from geofence.earth.ellipsoid import Column
from geofence.events import ENTER, EXIT
from geofence.forecasting.course import Course
from geofence.forecasting.course_crossings import CourseCrossings, circle_crossings, polygon_crossings
from geofence.forecasting.vicinity import Vicinity

ForecastType = Literal["ENTER", "EXIT", "IDLE"]
IDLE: Final = "IDLE"
FORECAST_TYPES: Final[Mapping[tuple[bool, bool], ForecastType]] = {
    (False, True): ENTER,
    (True, True): EXIT,
    (True, False): IDLE,
}
"""By whether the device is inside now, and whether it can reach the boundary within the horizon."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of n geofences, by when they can be reached, then key; those that cannot come last.

    `geofence` are keys, `inside` says whether the device is inside now. `distance` (metres) is the geodesic
    one to the nearest point of the boundary, from inside too; infinity where there is no boundary, as of a
    polygon around the whole world. `seconds` is the earliest the device can be there, NaN where that is not
    within the horizon.
    """

    geofence: NDArray[np.int32]
    inside: NDArray[np.bool_]
    distance: Column
    seconds: Column

    def __len__(self) -> int:
        return len(self.geofence)

    @property
    def types(self) -> list[ForecastType]:
        """ENTER, EXIT or IDLE, as Amazon Location calls them."""
        reached = ~np.isnan(self.seconds)
        pairs = zip(self.inside.tolist(), reached.tolist(), strict=True)
        return [FORECAST_TYPES[pair] for pair in pairs]


@dataclass(frozen=True, slots=True)
class CourseForecast:
    """n crossings on the way: by distance, EXIT before ENTER, key.

    `geofence` are keys, `entering` says ENTER or EXIT; `seconds` from now and `distance` (metres) along the
    course, and the position there in degrees.
    """

    geofence: NDArray[np.int32]
    entering: NDArray[np.bool_]
    seconds: Column
    distance: Column
    longitude: Column
    latitude: Column

    def __len__(self) -> int:
        return len(self.geofence)


def forecast(
    vicinity: Vicinity,
    inside: NDArray[np.int32],
    longitude: float,
    latitude: float,
    speed: float = 0.0,
    horizon: float = 0.0,
) -> Forecast:
    """Which geofences a device may enter or leave within a horizon (seconds) at a speed (m/s).

    `inside` are the keys of the geofences that contain the position (degrees), as `GeofenceIndex.containing`
    finds them. Without speed or horizon these are all there is, each IDLE. Distances are right to a
    millimetre and a billionth (a metre beyond 19,500 km).
    https://docs.aws.amazon.com/location/previous/APIReference/API_ForecastGeofenceEvents.html
    """
    reach = speed * horizon
    moves = reach > 0
    near = vicinity.within(longitude, latitude, reach) if moves else inside[:0]
    keys = np.union1d(near, inside).astype(np.int32)
    contains = np.isin(keys, inside)
    distance = nearest_boundaries(vicinity, keys, longitude, latitude, np.where(contains, np.inf, reach))
    reached = (distance <= reach) & moves
    seconds = np.full(len(keys), np.nan)
    seconds[reached] = distance[reached] / speed
    kept = contains | reached
    order = np.flatnonzero(kept)[np.lexsort((keys[kept], seconds[kept]))]
    return Forecast(keys[order], contains[order], distance[order], seconds[order])


def nearest_boundaries(
    vicinity: Vicinity, keys: NDArray[np.int32], longitude: float, latitude: float, limit: Column | float
) -> Column:
    """Metres to the nearest point of each geofence's boundary; what is beyond its limit may be infinity."""
    limit = np.broadcast_to(limit, keys.shape)
    distance = np.empty(len(keys))
    longitudes, latitudes = np.full(len(keys), longitude), np.full(len(keys), latitude)
    shapes = vicinity.shapes(keys)
    at, number = shapes.of_circles, np.arange(len(shapes.circles))
    distance[at] = np.abs(shapes.circles.beyond(number, longitudes[at], latitudes[at]))
    at, edges = shapes.of_polygons, bounding_edges(shapes.polygons)
    distance[at] = nearest_distances(longitudes[at], latitudes[at], edges, limit[at])
    return distance


def course_forecast(
    vicinity: Vicinity, longitude: float, latitude: float, heading: float, speed: float, horizon: float
) -> CourseForecast:
    """What a device enters and leaves on the geodesic of its heading (degrees true), in order.

    Position in degrees, speed in m/s, horizon in seconds. Circles are crossed to a thousandth of a
    millimetre along the way. For polygons the way is one within a millimetre of the geodesic: what goes
    deeper into one, or farther out, is never missed. Visits and absences shorter than a millimetre along the
    way are left out, of circles also some no deeper than a hundredth of one.
    """
    course = Course(longitude, latitude, heading, speed * horizon)
    keys = vicinity.within(longitude, latitude, course.length)
    if course.length <= 0 or not len(keys):
        keys = keys[:0]
    shapes = vicinity.shapes(keys)
    found = [
        (shapes.of_polygons, polygon_crossings(course, shapes.polygons)),
        (shapes.of_circles, circle_crossings(course, shapes.circles)),
    ]
    return _in_order(course, speed, keys, found)


def _in_order(
    course: Course,
    speed: float,
    keys: NDArray[np.int32],
    found: list[tuple[NDArray[np.intp], CourseCrossings]],
) -> CourseForecast:
    geofence = np.concatenate([keys[places[crossings.owner]] for places, crossings in found])
    entering, share, longitude, latitude = (
        np.concatenate([getattr(crossings, name) for _, crossings in found])
        for name in ("entering", "share", "longitude", "latitude")
    )
    order = np.lexsort((geofence, entering, share))
    distance = share[order] * course.length
    return CourseForecast(
        geofence[order],
        entering[order],
        distance / speed if len(order) else distance,
        distance,
        longitude[order],
        latitude[order],
    )
