"""One geofence, made ready to be searched: its boxes, and the exact test of what lies in it.

In longitude and latitude a pole is a line; on Earth it is one point. An area that reaches latitude 90 at
some longitude holds that point, and a position at latitude 90 is that point whatever its longitude. Such an
area is therefore given the pole's whole line beside its polygons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geofence.earth.circle import Box, Circles, circle_boxes
from geofence.geofence import Geofence


@dataclass(frozen=True, slots=True, eq=False)
class PolygonArea:
    """The polygons of a geofence, prepared, with the box of each (degrees).

    They share points at most, but for the line of a pole (a polygon without an area) that is among them.
    """

    boxes: list[Box]
    polygons: list[Polygon]

    def contains(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each position (degrees, length n) is inside or on the boundary."""
        inside = np.zeros(len(longitude), np.bool_)
        for polygon, box in zip(self.polygons, self.boxes, strict=True):
            near = _within(box, longitude, latitude) & ~inside
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
        near = np.logical_or.reduce([_within(box, longitude, latitude) for box in self.boxes])
        inside = np.zeros(len(longitude), np.bool_)
        of = np.zeros(np.count_nonzero(near), np.intp)
        inside[near] = circle.contain(of, longitude[near], latitude[near])
        return inside


Area = PolygonArea | CircleArea

POLES = (-90.0, 90.0)


def _within(box: Box, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each position (degrees, length n) is in a box, its edges included."""
    west, south, east, north = box
    within: NDArray[np.bool_] = (longitude >= west) & (longitude <= east)
    within &= (latitude >= south) & (latitude <= north)
    return within


def area_of(geofence: Geofence) -> Area:
    """The area of a geofence. It has copies of its polygons, which are prepared."""
    return areas_of([geofence])[0]


def areas_of(geofences: Sequence[Geofence]) -> list[Area]:
    """The area of each, for many together in a quarter of the time."""
    circles = [_circle_area(geofence) for geofence in geofences]
    others = [each.geometry for each, circle in zip(geofences, circles, strict=True) if circle is None]
    polygons = iter(_polygon_areas(others))
    return [next(polygons) if circle is None else circle for circle in circles]


def _circle_area(geofence: Geofence) -> CircleArea | None:
    """None where it is of polygons."""
    match geofence.geometry:
        case Point() as centre if geofence.radius is not None:
            longitude, latitude = centre.x, centre.y
            boxes = circle_boxes(longitude, latitude, geofence.radius)
            return CircleArea(boxes, longitude, latitude, geofence.radius)
        case Polygon() | MultiPolygon() as geometry if not geometry.is_empty:
            return None
        case other:
            raise TypeError(
                f"geofence {geofence.id}: a {other.geom_type} with radius {geofence.radius}: "
                f"expected a Polygon, a MultiPolygon or a Point with a radius"
            )


def _polygon_areas(geometries: Sequence[BaseGeometry]) -> list[PolygonArea]:
    columns = np.array(geometries, np.object_)
    parts = shapely.get_parts(columns)
    shapely.prepare(parts)
    polygons, boxes = parts.tolist(), list(map(tuple, shapely.bounds(parts).tolist()))
    ends = np.cumsum(shapely.get_num_geometries(columns)).tolist()
    areas = [
        PolygonArea(boxes[start:end], polygons[start:end])
        for start, end in zip([0, *ends], ends, strict=False)
    ]
    reached = shapely.bounds(columns).reshape(-1, 4)[:, 1::2] == POLES
    for number, pole in np.argwhere(reached).tolist():
        line = _pole_line(POLES[pole])
        shapely.prepare(line)
        areas[number].boxes.append(line.bounds)
        areas[number].polygons.append(line)
    return areas


def _pole_line(latitude: float) -> Polygon:
    """A pole at every longitude, as a polygon without an area."""
    return Polygon([(-180, latitude), (180, latitude), (180, latitude), (-180, latitude)])
