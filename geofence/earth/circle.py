"""Geodesic circles on WGS84, decided by straight lines through the Earth wherever those suffice.

Of two points on the ellipsoid let c be the straight distance (the chord) and s the geodesic one. Then s
>= c, and no geodesic bends more sharply than a circle of radius R = b*b/a, the least radius of curvature
there is, so that by Schur's comparison theorem c >= 2 R sin(s / 2R). For a circle of radius r, therefore,

    c > r                      is outside,
    c <= 2 R sin(r / 2R)       is inside,

and only in the rim between (0.1 mm wide at 5 km, 0.13 m at 50 km) is the geodesic itself asked. The
second line needs r / 2R below a right angle and c short of nearly antipodal points; both hold up to the
greatest radius allowed.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.earth.ellipsoid import LEAST_CURVATURE_RADIUS, WGS84, earth_centred

GREATEST_RADIUS = 10_000_000.0
"""Of a circle, in metres."""

ROUNDING = 1e-3
"""Metres by which the rim is widened: a million times what rounding can do to a chord."""

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees, west at most east."""

Coordinates = NDArray[np.float64]


class Circles:
    """n circles as columns: `longitude` and `latitude` of the centres in degrees, `radius` in metres."""

    def __init__(self, longitude: Coordinates, latitude: Coordinates, radius: Coordinates) -> None:
        self.longitude, self.latitude, self.radius = longitude, latitude, radius
        self._x, self._y, self._z = earth_centred(longitude, latitude)
        inner = 2 * LEAST_CURVATURE_RADIUS * np.sin(radius / (2 * LEAST_CURVATURE_RADIUS)) - ROUNDING
        self._inside_below = np.where(inner > 0, inner * inner, -1.0)
        self._outside_above = (radius + ROUNDING) ** 2

    @classmethod
    def one(cls, longitude: float, latitude: float, radius: float) -> Self:
        """A single circle."""
        return cls(np.array([longitude]), np.array([latitude]), np.array([radius]))

    def __len__(self) -> int:
        return len(self.radius)

    def contain(
        self, circle: NDArray[np.intp], longitude: Coordinates, latitude: Coordinates
    ) -> NDArray[np.bool_]:
        """Whether each position (degrees) lies in the circle whose number stands beside it (all m long)."""
        x, y, z = earth_centred(longitude, latitude)
        chord_squared = (x - self._x[circle]) ** 2 + (y - self._y[circle]) ** 2 + (z - self._z[circle]) ** 2
        inside = chord_squared <= self._inside_below[circle]
        rim = np.flatnonzero(~inside & (chord_squared <= self._outside_above[circle]))
        if len(rim):
            of = circle[rim]
            distance = WGS84.inv(self.longitude[of], self.latitude[of], longitude[rim], latitude[rim])[2]
            inside[rim] = distance <= self.radius[of]
        return inside

    def hold_around(
        self, circle: NDArray[np.intp], longitude: Coordinates, latitude: Coordinates, reach: Coordinates
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether all within `reach` (metres, in a straight line) of each position is in the circle beside
        it, and whether it is open if some is (all m long)."""
        x, y, z = earth_centred(longitude, latitude)
        chord = np.sqrt((x - self._x[circle]) ** 2 + (y - self._y[circle]) ** 2 + (z - self._z[circle]) ** 2)
        inside = (chord + reach) ** 2 <= self._inside_below[circle]
        nearest = np.maximum(chord - reach, 0)
        return inside, ~inside & (nearest**2 <= self._outside_above[circle])

    def centres(self) -> tuple[Coordinates, Coordinates, Coordinates]:
        """Cartesian metres from the Earth's centre."""
        return self._x, self._y, self._z

    def chords(self) -> NDArray[np.float64]:
        """Of each circle x, y, z of the centre (metres) and the squares of two chords: that up to which
        positions are inside, and that above which they are outside (n x 5)."""
        return np.column_stack([*self.centres(), self._inside_below, self._outside_above])

    def beyond(self, circle: NDArray[np.intp], longitude: Coordinates, latitude: Coordinates) -> Coordinates:
        """Metres from each position (degrees) to the boundary of the circle beside it, negative inside.

        The geodesic through position and centre meets the boundary; by the triangle inequality nothing of
        it is nearer.
        """
        distance: Coordinates = WGS84.inv(self.longitude[circle], self.latitude[circle], longitude, latitude)[
            2
        ]
        return distance - self.radius[circle]


def circle_boxes(longitude: float, latitude: float, radius: float) -> list[Box]:
    """Boxes that hold the whole circle: one, or two where it crosses the antimeridian.

    A position within r of the centre is at most r from it along the meridian, and at most r from it in a
    straight line, which bounds the longitude by asin(r / p) where p is the centre's distance from the
    Earth's axis.
    """
    reach = radius + ROUNDING
    south, north = _parallel(latitude, -90.0, reach), _parallel(latitude, 90.0, reach)
    north_of_equator = math.radians(latitude)
    axis = WGS84.a * math.cos(north_of_equator) / math.sqrt(1 - WGS84.es * math.sin(north_of_equator) ** 2)
    if reach >= axis:
        return [(-180.0, south, 180.0, north)]
    width = math.degrees(math.asin(reach / axis)) + 1e-9
    west, east = longitude - width, longitude + width
    if west < -180:
        return [(-180.0, south, east, north), (west + 360, south, 180.0, north)]
    if east > 180:
        return [(west, south, 180.0, north), (-180.0, south, east - 360, north)]
    return [(west, south, east, north)]


def _parallel(latitude: float, pole: float, reach: float) -> float:
    """The latitude that is `reach` metres from another towards a pole, or the pole where that is nearer."""
    if WGS84.inv(0, latitude, 0, pole)[2] <= reach:
        return pole
    end: float = WGS84.fwd(0, latitude, 0 if pole > 0 else 180, reach)[1]
    return end + math.copysign(1e-9, pole)
