"""One geofence, made ready to be searched: its boxes, and the exact test of what lies in it."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.circle import Box, Circles, circle_boxes
from geofence.geofence import Geofence


@dataclass(frozen=True, slots=True, eq=False)
class PolygonArea:
    """The polygons of a geofence, prepared, with the box of each (degrees). They share points at most."""

    boxes: list[Box]
    polygons: list[Polygon]

    def contains(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each position (degrees, length n) is inside or on the boundary."""
        inside = np.zeros(len(longitude), np.bool_)
        for polygon, (west, south, east, north) in zip(self.polygons, self.boxes, strict=True):
            near = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
            near &= ~inside
            inside[near] = shapely.intersects_xy(polygon, longitude[near], latitude[near])
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class CircleArea:
    """A geodesic circle (degrees, metres), with the one or two boxes that hold it."""

    boxes: list[Box]
    longitude: float
    latitude: float
    radius: float

    def contains(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each position (degrees, length n) is inside or on the boundary."""
        circle = Circles.one(self.longitude, self.latitude, self.radius)
        return circle.contain(np.zeros(len(longitude), np.intp), longitude, latitude)


Area = PolygonArea | CircleArea


def area_of(geofence: Geofence) -> Area:
    """The area of a geofence. Its polygons are prepared, which changes nothing that can be seen of them."""
    match geofence.geometry:
        case Point() as centre if geofence.radius is not None:
            boxes = circle_boxes(centre.x, centre.y, geofence.radius)
            return CircleArea(boxes, centre.x, centre.y, geofence.radius)
        case Polygon() | MultiPolygon() as geometry if not geometry.is_empty:
            polygons = list(shapely.get_parts(geometry))
            shapely.prepare(polygons)
            return PolygonArea([polygon.bounds for polygon in polygons], polygons)
        case other:
            raise TypeError(
                f"geofence {geofence.id}: a {other.geom_type} with radius {geofence.radius}: "
                f"expected a Polygon, a MultiPolygon or a Point with a radius"
            )
