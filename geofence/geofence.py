"""A geofence: an area with an id."""

from dataclasses import dataclass

from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.conditions.conditions import UNCONDITIONAL, Conditions


@dataclass(frozen=True, slots=True, eq=False)
class Geofence:
    """An area whose boundary belongs to it.

    `geometry` is a Polygon or MultiPolygon, whose edges are straight in longitude and latitude (degrees,
    WGS84), or the Point at the middle of a circle. `radius` is the circle's, in metres along the geodesic,
    and None for polygons. `properties` are as they were sent, radius and conditions among them.
    """

    id: str
    geometry: Polygon | MultiPolygon | Point
    radius: float | None
    properties: dict[str, object]
    conditions: Conditions = UNCONDITIONAL

    @property
    def name(self) -> str:
        """What people call it."""
        return called(self.properties.get("name"), self.id)


def called(name: object, geofence_id: str) -> str:
    """What people call a geofence: its property "name" if that is a text and not empty, else its id."""
    return name if isinstance(name, str) and name else geofence_id
