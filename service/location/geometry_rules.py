"""What Amazon Location's prose asks of a geofence's geometry, and the geofence that it is for our kernel.

https://docs.aws.amazon.com/location/latest/APIReference/API_WaypointGeofencing_GeofenceGeometry.html

The polygons of a MultiPolygon may overlap there. The kernel's may not: it is given what they cover together,
and the geometry is kept beside it as it was given, as is a Geobuf.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.faults import FeatureFaults, GeofenceFault
from geofence.geofence import Geofence
from geofence.reading.geofence_properties import GEOFENCE_PROPERTIES
from geofence.reading.ring_faults import WITHOUT_AREA
from geofence.reading.ring_relations import fits_together, ring_name
from geofence.reading.rings import read_point, read_polygon
from service.errors import TheirFault
from service.location.geobuf import GeobufFault, Ring, decode_geobuf
from service.location.overlaps import joined


class GeometryRefused(TheirFault):
    """What is wrong with a geometry: the member of the request that has it, and the problem."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{member}: {problem}" for member, problem in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class GeometryLimits:
    """Of what one geometry may have at most; the last position of a ring, which is its first, counts, too."""

    polygons: int
    rings: int
    vertices: int


LIMITS: Final[Mapping[tuple[str, str], GeometryLimits]] = {
    ("Polygon", "Polygon"): GeometryLimits(polygons=1, rings=250, vertices=1_000),
    ("MultiPolygon", "MultiPolygon"): GeometryLimits(polygons=250, rings=250, vertices=1_000),
    ("Geobuf", "Polygon"): GeometryLimits(polygons=1, rings=25_000, vertices=100_000),
    ("Geobuf", "MultiPolygon"): GeometryLimits(polygons=10_000, rings=25_000, vertices=100_000),
}
"""By the member that has it, and what it holds; `rings` are those of one polygon."""

GREATEST_RADIUS: Final = 100_000
"""Metres."""

MEMBERS: Final = ("Polygon", "MultiPolygon", "Circle", "Geobuf")


class GivenGeofence(NamedTuple):
    """A geofence, and its geometry as it was given (JSON), where that of the geofence does not say it so."""

    geofence: Geofence
    given: str | None = None


def given_geofence(
    geofence_id: str, geometry: Mapping[str, Any], properties: Mapping[str, str] | None
) -> GivenGeofence:
    """The geofence of members that fit the model; a Geobuf as its bytes. Raises GeometryRefused."""
    members = [member for member in MEMBERS if geometry.get(member) is not None]
    if len(members) != 1:
        problem = f"{' and '.join(members) or 'none'}: expected exactly one of {', '.join(MEMBERS)}"
        raise GeometryRefused([("Geometry", problem)])
    (member,) = members
    value = geometry[member]
    own: dict[str, object] = {GEOFENCE_PROPERTIES: dict(properties or {})}
    given = None
    match member:
        case "Circle":
            radius = float(value["Radius"])
            own = {**own, "radius": radius}
            return GivenGeofence(Geofence(geofence_id, _centre(value["Center"], radius), radius, own))
        case "Polygon":
            area: Polygon | MultiPolygon = _polygons(member, "Polygon", [value])[0]
        case "MultiPolygon":
            area, whole = _together(member, _polygons(member, "MultiPolygon", value))
            given = None if whole else msgspec.json.encode({member: value}).decode()
        case _:
            try:
                kind, parts = decode_geobuf(value)
            except GeobufFault as fault:
                raise GeometryRefused([("Geometry.Geobuf", str(fault))]) from None
            polygons = _polygons(member, kind, parts)
            area = polygons[0] if kind == "Polygon" else _together(member, polygons)[0]
            given = msgspec.json.encode({member: base64.b64encode(value).decode()}).decode()
    return GivenGeofence(Geofence(geofence_id, area, None, own), given)


def _centre(centre: Sequence[float], radius: float) -> Point:
    faults = FeatureFaults()
    point = read_point(_raw(centre), faults)
    found = [("Geometry.Circle.Center", _words(fault)) for fault in faults.found]
    if not 0 < radius <= GREATEST_RADIUS:
        expected = f"expected metres above 0 and up to {GREATEST_RADIUS}"
        found.append(("Geometry.Circle.Radius", f"{radius:.10g}: {expected}"))
    if found or point is None:
        raise GeometryRefused(found)
    return point


def _polygons(member: str, kind: str, parts: Sequence[Sequence[Ring]]) -> list[Polygon]:
    """The polygons, each valid by itself, closed and wound as it must be."""
    of_member = f"Geometry.{member}"
    _refuse_too_many(of_member, LIMITS[member, kind], parts)
    polygons: list[Polygon] = []
    found: list[tuple[str, str]] = []
    for number, rings in enumerate(parts):
        faults = FeatureFaults()
        polygon = read_polygon(_raw(rings), faults)
        if polygon is None:
            found += [(of_member, _words(fault, number)) for fault in faults.found]
        else:
            polygons.append(polygon)
            found += [(of_member, problem) for problem in _shape_faults(polygon, number)]
        if len(found) >= MOST_FAULTS:
            break
    if found:
        raise GeometryRefused(found[:MOST_FAULTS])
    return polygons


MOST_FAULTS: Final = 20
"""Named of one geometry."""


def _refuse_too_many(member: str, limits: GeometryLimits, parts: Sequence[Sequence[Ring]]) -> None:
    vertices = sum(len(ring) for rings in parts for ring in rings)
    most_rings = max(map(len, parts), default=0)
    for count, most, what in (
        (len(parts), limits.polygons, "polygons"),
        (most_rings, limits.rings, "rings in a polygon"),
        (vertices, limits.vertices, "vertices"),
    ):
        if count > most:
            raise GeometryRefused([(member, f"{count:,} {what}: expected up to {most:,}")])
    if not parts:
        raise GeometryRefused([(member, "no polygon: expected one or more")])


def _shape_faults(polygon: Polygon, number: int) -> list[str]:
    """What the kernel takes and Amazon Location does not."""
    rings = [polygon.exterior, *polygon.interiors]
    faults = [
        f"{ring_name(number, at)}: wound {_sense(ring.is_ccw)}: expected {_sense(at == 0)}, "
        f"{'an exterior ring' if at == 0 else 'an interior ring'}"
        for at, ring in enumerate(rings)
        if ring.is_ccw != (at == 0)
    ]
    touching = _touching(np.array(rings, np.object_)) if len(rings) > 1 else None
    if touching is not None:
        one, other = touching
        faults.append(f"{ring_name(number, other)}: touches ring {one}: expected rings that do not")
    return faults


RINGS_AT_ONCE: Final = 64


def _touching(rings: NDArray[np.object_]) -> tuple[int, int] | None:
    """The numbers of two rings that have a point in common, the lower first, of a polygon that is valid."""
    shapely.prepare(rings)
    tree = shapely.STRtree(rings)
    for start in range(0, len(rings), RINGS_AT_ONCE):
        some, others = tree.query(rings[start : start + RINGS_AT_ONCE])
        some = some + start
        later = others > some  # so that the exterior ring, which is the longest, is the prepared one
        some, others = some[later], others[later]
        touch = np.flatnonzero(shapely.intersects(rings[some], rings[others]))[:1].tolist()
        if touch:
            return int(some[touch[0]]), int(others[touch[0]])
    return None


def _sense(counter_clockwise: bool) -> str:
    return "counter-clockwise" if counter_clockwise else "clockwise"


def _together(member: str, polygons: Sequence[Polygon]) -> tuple[Polygon | MultiPolygon, bool]:
    """What the polygons cover, and whether these are just its polygons."""
    multipolygon = MultiPolygon(polygons)
    if fits_together(multipolygon, 0, FeatureFaults()):
        return multipolygon, True
    try:
        return joined(polygons), False
    except ValueError as fault:
        raise GeometryRefused([(f"Geometry.{member}", str(fault))]) from None


def _words(fault: GeofenceFault, number: int = 0) -> str:
    """A fault of the kernel's, of the polygon of this number."""
    ring = None if fault.ring is None else fault.ring.replace("polygon 0", f"polygon {number}", 1)
    vertex = None if fault.vertex is None else f"vertex {fault.vertex}"
    where = ", ".join(part for part in (ring, vertex) if part is not None)
    detail = fault.detail.replace(WITHOUT_AREA, "for a place without an area put a Circle")
    return f"{where}: {detail}" if where else detail


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
