"""Boundaries sampled densely, and how far away they are: the slow way, with nothing of the forecast's."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point

from geofence.earth.ellipsoid import WGS84
from geofence.geofence import Geofence

SAMPLES = 400
ROUNDING = 1e-6
"""Metres."""


def boundary(geofence: Geofence, count: int = SAMPLES) -> NDArray[np.float64]:
    """Points of the boundary, `count` an edge and each edge's ends; none where the geofence goes on."""
    if geofence.radius is not None:
        centre = geofence.geometry
        azimuth = np.linspace(0, 360, 8 * count)
        ones = np.ones(len(azimuth))
        return np.stack(
            WGS84.fwd(centre.x * ones, centre.y * ones, azimuth, geofence.radius * ones)[:2], axis=1
        )
    share = np.linspace(0, 1, count)[:, None]
    points = [start + share * (end - start) for start, end in reference_edges(geofence)]
    return np.concatenate(points) if points else np.empty((0, 2))


def reference_edges(geofence: Geofence) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Start and end of each edge; of one along the antimeridian, only of what the other side leaves open."""
    vertices = shapely.get_coordinates(geofence.geometry)
    seam = np.unique(vertices[np.abs(vertices[:, 0]) == 180, 1])
    for part in shapely.get_parts(geofence.geometry):
        for ring in shapely.get_rings(part):
            for start, end in pairwise(shapely.get_coordinates(ring)):
                if start[0] == end[0] and abs(end[0]) == 180:
                    south, north = sorted((start[1], end[1]))
                    for low, high in pairwise(seam[(seam >= south) & (seam <= north)].tolist()):
                        if not geofence.geometry.intersects(Point(-start[0], (low + high) / 2)):
                            yield np.array([start[0], low]), np.array([start[0], high])
                elif not (start[1] == end[1] and abs(end[1]) == 90):
                    yield start, end


def distances(position: tuple[float, float], points: NDArray[np.float64]) -> NDArray[np.float64]:
    ones = np.ones(len(points))
    return WGS84.inv(position[0] * ones, position[1] * ones, *points.T)[2]


def depth(geofence: Geofence, position: tuple[float, float]) -> float:
    """Metres from a position to the boundary: at most ROUNDING too high where that is near."""
    if geofence.radius is not None:
        centre = geofence.geometry
        return abs(float(WGS84.inv(centre.x, centre.y, *position)[2]) - geofence.radius)
    points = boundary(geofence)
    return refined(position, points) if len(points) else math.inf


def refined(position: tuple[float, float], points: NDArray[np.float64]) -> float:
    """The least distance to samples of edges, with each edge sampled ever more finely around its nearest."""
    edges = points.reshape(-1, SAMPLES, 2)
    for _ in range(5):
        away = distances(position, edges.reshape(-1, 2)).reshape(edges.shape[:2])
        nearest = np.argmin(away, axis=1)
        number = np.arange(len(edges))
        first = edges[number, np.maximum(nearest - 1, 0)]
        last = edges[number, np.minimum(nearest + 1, SAMPLES - 1)]
        edges = first[:, None] + np.linspace(0, 1, SAMPLES)[:, None] * (last - first)[:, None]
    return float(distances(position, edges.reshape(-1, 2)).min())
