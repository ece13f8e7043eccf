"""Great circles on a sphere, vectorised: good to 0.5 %, which is enough to simulate flights."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS = 6_371_008.8
"""Mean radius in metres (IUGG R1)."""

Floats = NDArray[np.float64]


def unit_vectors(longitude: Floats, latitude: Floats) -> Floats:
    """Points in degrees as vectors from the centre, shape (n, 3)."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


@dataclass(frozen=True, slots=True)
class GreatCircles:
    """Shortest ways between pairs of points that are neither equal nor antipodal; all arrays of length n."""

    start: Floats
    toward: Floats
    """Unit vector at a right angle to `start`, in the direction of flight."""
    length: Floats
    """Metres."""

    @classmethod
    def between(cls, start: Floats, end: Floats) -> Self:
        """From unit vectors, shape (n, 3)."""
        cosine = np.sum(start * end, axis=-1, keepdims=True)
        across = end - cosine * start
        sine = np.linalg.norm(across, axis=-1, keepdims=True)
        return cls(start, across / sine, np.arctan2(sine, cosine)[..., 0] * EARTH_RADIUS)

    def take(self, index: NDArray[np.int64]) -> Self:
        return type(self)(self.start[index], self.toward[index], self.length[index])

    def at(self, distance: Floats) -> tuple[Floats, Floats, Floats]:
        """Longitude, latitude and heading (degrees, 0 to 360 from true north) `distance` metres from the
        start.
        """
        angle = (distance / EARTH_RADIUS)[..., np.newaxis]
        point = np.cos(angle) * self.start + np.sin(angle) * self.toward
        direction = np.cos(angle) * self.toward - np.sin(angle) * self.start
        x, y, z = np.moveaxis(point, -1, 0)
        level = np.hypot(x, y)
        # north is (-xz, -yz, level^2) / level, east is (-y, x, 0) / level: `direction` measured along both
        north = direction[..., 2] * level - z * (direction[..., 0] * x + direction[..., 1] * y) / level
        east = (direction[..., 1] * x - direction[..., 0] * y) / level
        heading = np.degrees(np.arctan2(east, north)) % 360.0
        return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, level)), heading
