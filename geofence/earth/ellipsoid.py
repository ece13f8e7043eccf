"""WGS84: its geodesics, how sharply it bends, and its points in a straight line from one another."""

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

WGS84 = Geod(ellps="WGS84")

LEAST_CURVATURE_RADIUS = WGS84.b**2 / WGS84.a
"""Metres: the meridian's at the equator. Nothing on the ellipsoid bends more sharply."""

GREATEST_CURVATURE_RADIUS = WGS84.a**2 / WGS84.b
"""Metres: that of everything at the poles."""

Column = NDArray[np.float64]


def earth_centred(longitude: Column, latitude: Column) -> tuple[Column, Column, Column]:
    """Cartesian metres from the Earth's centre of points on the ellipsoid (degrees)."""
    eastward, northward = np.radians(longitude), np.radians(latitude)
    sine = np.sin(northward)
    normal = WGS84.a / np.sqrt(1 - WGS84.es * sine * sine)
    axis = normal * np.cos(northward)
    return axis * np.cos(eastward), axis * np.sin(eastward), (1 - WGS84.es) * normal * sine


def from_axis(latitude: Column) -> Column:
    """Metres from the Earth's axis of points at a latitude (degrees)."""
    x, _, _ = earth_centred(np.zeros_like(latitude), latitude)
    return np.abs(x)


def straight_distances(
    longitude: Column, latitude: Column, of: NDArray[np.intp], to_longitude: Column, to_latitude: Column
) -> Column:
    """Metres, straight through the Earth, to m positions (degrees) from the one whose number is beside it."""
    from_x, from_y, from_z = earth_centred(longitude, latitude)
    x, y, z = earth_centred(to_longitude, to_latitude)
    distance: Column = np.sqrt((x - from_x[of]) ** 2 + (y - from_y[of]) ** 2 + (z - from_z[of]) ** 2)
    return distance
