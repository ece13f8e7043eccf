"""GEOS and PROJ in bulk, the yardstick of the geofence engine."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from geofence.earth.circle import circle_boxes
from geofence.geofence import Geofence

WGS84 = Geod(ellps="WGS84")
Coordinates = NDArray[np.float64]


class BareGeos:
    """A packed tree of boxes over whole geofences, then the exact test of all candidate pairs at once."""

    def __init__(self, geofences: Sequence[Geofence]) -> None:
        self._geometry = np.array([geofence.geometry for geofence in geofences], np.object_)
        shapely.prepare(self._geometry)
        self._circle = np.array([geofence.radius is not None for geofence in geofences], np.bool_)
        self._radius = np.array([geofence.radius or 0.0 for geofence in geofences])
        centres = shapely.centroid(self._geometry)
        self._x, self._y = shapely.get_x(centres), shapely.get_y(centres)
        boxes = [(number, box) for number, geofence in enumerate(geofences) for box in _boxes(geofence)]
        self._of_box = np.array([number for number, _ in boxes])
        self._tree = shapely.STRtree(shapely.box(*np.array([box for _, box in boxes]).T))

    def containing(self, longitude: Coordinates, latitude: Coordinates) -> NDArray[np.intp]:
        """Numbers of positions and geofences (2 x m)."""
        position, box = self._tree.query(shapely.points(longitude, latitude))
        geofence = self._of_box[box]
        inside = np.empty(len(position), np.bool_)
        circle = self._circle[geofence]
        at = position[~circle]
        inside[~circle] = shapely.intersects_xy(
            self._geometry[geofence[~circle]], longitude[at], latitude[at]
        )
        at, of = position[circle], geofence[circle]
        inside[circle] = (
            WGS84.inv(self._x[of], self._y[of], longitude[at], latitude[at])[2] <= self._radius[of]
        )
        return np.stack([position[inside], geofence[inside]])


def _boxes(geofence: Geofence) -> list[tuple[float, float, float, float]]:
    if geofence.radius is None:
        return [geofence.geometry.bounds]
    return circle_boxes(geofence.geometry.x, geofence.geometry.y, geofence.radius)
