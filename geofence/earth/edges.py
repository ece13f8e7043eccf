"""The edges that bound geofences, as columns, and how far such an edge can stray on the ellipsoid.

An edge is straight in longitude and latitude. With p(phi) the distance from the Earth's axis and M(phi)
the radius of curvature of the meridian, the point at share t of an edge moves, for t from 0 to 1, by at
most

    reach = hypot(p * dlambda, M * dphi)

metres, and its covariant acceleration (the Christoffel symbols of an ellipsoid of revolution) is at most

    bend = |M'| dphi**2 + p sin(phi) dlambda**2 + 2 M sin(phi) |dlambda dphi|

with every factor at its greatest along the edge. Both bounds hold at the poles too.
"""

from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.columns.ranges import ranges
from geofence.columns.table import Table
from geofence.earth.ellipsoid import GREATEST_CURVATURE_RADIUS, WGS84, Column, from_axis

WIDEST = 90.0
"""Degrees of longitude that one edge spans at most; wider ones come in parts."""

SEAM_GAP = 1e-9
"""Degrees of latitude, a tenth of a millimetre: where the two sides of a cut differ by less they are one."""

GREATEST_MERIDIAN_CHANGE = 1.5 * GREATEST_CURVATURE_RADIUS * WGS84.es / (1 - WGS84.es)
"""Of |dM/dphi|: 3 M e**2 sin(phi) cos(phi) / (1 - e**2 sin(phi)**2), in metres a radian."""


@dataclass(frozen=True, slots=True)
class Edges(Table):
    """n edges in degrees. `owner` is the place of each one's geometry in what was asked."""

    owner: NDArray[np.intp]
    longitude: Column
    latitude: Column
    longitude_step: Column
    latitude_step: Column

    def at(self, share: Column | float) -> tuple[Column, Column]:
        """Longitude and latitude of the point at a share (0 to 1) of each edge."""
        return self.longitude + share * self.longitude_step, self.latitude + share * self.latitude_step

    def velocity(self, share: Column) -> tuple[Column, Column]:
        """Metres a share that `at` moves eastward and northward at a share of each edge."""
        latitude = self.latitude + share * self.latitude_step
        meridian = WGS84.a * (1 - WGS84.es) / (1 - WGS84.es * np.sin(np.radians(latitude)) ** 2) ** 1.5
        east: Column = np.radians(self.longitude_step) * from_axis(latitude)
        return east, np.radians(self.latitude_step) * meridian

    def reach_and_bend(self) -> tuple[Column, Column]:
        """Bounds of the speed and the acceleration of `at` as its share grows: metres a share, a share^2."""
        far = np.radians(np.maximum(np.abs(self.latitude), np.abs(self.latitude + self.latitude_step)))
        same_side = np.sign(self.latitude) == np.sign(self.latitude + self.latitude_step)
        near = np.minimum(np.abs(self.latitude), np.abs(self.latitude + self.latitude_step))
        widest = from_axis(np.where(same_side, near, 0.0))
        east, north = np.radians(np.abs(self.longitude_step)), np.radians(np.abs(self.latitude_step))
        steepest = np.sin(far)
        bend = GREATEST_MERIDIAN_CHANGE * north**2 + widest * steepest * east**2
        bend += 2 * GREATEST_CURVATURE_RADIUS * steepest * east * north
        return np.hypot(widest * east, GREATEST_CURVATURE_RADIUS * north), bend


def ring_edges(geometries: NDArray[np.object_]) -> Edges:
    """All edges of the rings of polygons and multipolygons, but for those between equal vertices."""
    return ring_edges_and_vertices(geometries)[0]


def ring_edges_and_vertices(geometries: NDArray[np.object_]) -> tuple[Edges, NDArray[np.intp]]:
    """The same, and of each edge the number of its first vertex in shapely.get_coordinates(geometries)."""
    polygons, geometry_of = shapely.get_parts(geometries, return_index=True)
    rings, polygon_of = shapely.get_rings(polygons, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    step = np.diff(coordinates, axis=0)
    first = np.flatnonzero((ring[1:] == ring[:-1]) & (step != 0).any(axis=1))
    columns = (np.ascontiguousarray(pairs[first].T) for pairs in (coordinates, step))
    (longitude, latitude), (longitude_step, latitude_step) = columns
    owner = geometry_of[polygon_of[ring[first]]]
    return Edges(owner, longitude, latitude, longitude_step, latitude_step), first


def bounding_edges(geometries: NDArray[np.object_]) -> Edges:
    """The edges of polygons and multipolygons, none where a geofence goes on behind the edge.

    That is so along the antimeridian, where it lies on both sides of it, and along the line that a pole is
    in longitude and latitude.
    """
    edges = ring_edges(geometries)
    polar = (np.abs(edges.latitude) == 90) & (edges.latitude_step == 0)
    along_seam = (np.abs(edges.longitude) == 180) & (edges.longitude_step == 0)
    seam = edges.take(along_seam)
    parts = [_in_parts(edges.take(~polar & ~along_seam))]
    parts += [_one_sided(seam.take(seam.owner == owner)) for owner in np.unique(seam.owner)]
    return Edges(
        *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Edges))
    )


def _in_parts(edges: Edges) -> Edges:
    """The same edges, none wider than WIDEST."""
    count = np.maximum(np.ceil(np.abs(edges.longitude_step) / WIDEST), 1).astype(np.intp)
    if np.all(count == 1):
        return edges
    whole = np.repeat(np.arange(len(edges)), count)
    parts = edges.take(whole)
    longitude, latitude = parts.at(ranges(np.zeros_like(count), count) / count[whole])
    return Edges(
        parts.owner,
        longitude,
        latitude,
        parts.longitude_step / count[whole],
        parts.latitude_step / count[whole],
    )


def _one_sided(seam: Edges) -> Edges:
    """Where a geofence lies on one side of the antimeridian alone, from its edges along it."""
    start, end = seam.latitude, seam.latitude + seam.latitude_step
    cuts = np.unique(np.concatenate([start, end]))
    low, high = np.minimum(start, end), np.maximum(start, end)
    covers = (low[:, None] <= cuts[:-1]) & (high[:, None] >= cuts[1:])
    eastern = seam.longitude > 0
    east, west = np.logical_or.reduce(covers[eastern]), np.logical_or.reduce(covers[~eastern])
    bounding = np.flatnonzero(np.logical_xor(east, west) & (np.diff(cuts) > SEAM_GAP))
    count = len(bounding)
    return Edges(
        np.full(count, seam.owner[0]),
        np.where(east[bounding], 180.0, -180.0),
        cuts[:-1][bounding],
        np.zeros(count),
        np.diff(cuts)[bounding],
    )
