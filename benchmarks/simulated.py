"""Simulated geofences and tracks: the same for the same seed, whatever the machine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon

from geofence.geofence import Geofence

METRES_A_DEGREE = 111_000.0
DEVICES, STEPS, STEP = 2_000, 100, 2_000.0
"""Tracks: devices in turn, so many fixes of each, so many metres from one to the next."""

Region = tuple[float, float, float, float]
EUROPE = (-25.0, 35.0, 45.0, 70.0)


@dataclass(frozen=True, slots=True)
class Fixes:
    """n fixes by time: slots of devices, milliseconds, degrees."""

    device: NDArray[np.int32]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    def take(self, at: slice) -> "Fixes":
        """Some of them."""
        return Fixes(self.device[at], self.sample_time[at], self.longitude[at], self.latitude[at])

    def copy(self, at: slice) -> "Fixes":
        """Some of them, which may be changed without changing these."""
        return Fixes(
            *(column[at].copy() for column in (self.device, self.sample_time, self.longitude, self.latitude))
        )


def tracks(region: Region, seed: int = 0) -> Fixes:
    """Devices that start anywhere in a region and go straight on, turning at its edge."""
    random = np.random.default_rng(seed)
    west, south, east, north = region
    x, y = random.uniform(west, east, DEVICES), random.uniform(south, north, DEVICES)
    heading = random.uniform(0, 2 * np.pi, DEVICES)
    far = np.arange(STEPS)[:, None] * (STEP / METRES_A_DEGREE)
    longitude = _turning(x + far * np.sin(heading) / np.cos(np.radians(y)), west, east)
    latitude = _turning(y + far * np.cos(heading), south, north)
    time = np.arange(STEPS)[:, None] * 10_000 + np.arange(DEVICES) % 10_000
    device = np.tile(np.arange(DEVICES, dtype=np.int32), STEPS)
    return Fixes(device, time.ravel().astype(np.int64), longitude.ravel(), latitude.ravel())


def mixed(count: int, region: Region = EUROPE, seed: int = 1) -> list[Geofence]:
    """Circles, n-gons and concave stars of 2 to 50 km, anywhere in a region; they overlap."""
    random = np.random.default_rng(seed)
    west, south, east, north = region
    shapes: list[Callable[[str, float, float, float, np.random.Generator], Geofence]] = [
        _circle,
        _ngon,
        _star,
    ]
    return [
        shapes[number % 3](
            f"{shapes[number % 3].__name__[1:]}-{number}",
            random.uniform(west, east),
            random.uniform(south, north),
            2_000 * 25 ** random.random(),
            random,
        )
        for number in range(count)
    ]


def disjoint(rows: int, columns: int, region: Region = EUROPE, seed: int = 2) -> list[Geofence]:
    """Stars side by side, none touching another, each about as large as there is room for it."""
    random = np.random.default_rng(seed)
    west, south, east, north = region
    width, height = (east - west) / columns, (north - south) / rows
    found = []
    for number in range(rows * columns):
        x, y = west + (number % columns + 0.5) * width, south + (number // columns + 0.5) * height
        distance = random.uniform(0.3, 0.49, 80)
        found.append(_polygon(f"area-{number}", x, y, distance * width, distance * height))
    return found


def _turning(at: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Coordinates that went past an edge, folded back."""
    away = np.mod(at - low, 2 * (high - low))
    folded: NDArray[np.float64] = low + np.minimum(away, 2 * (high - low) - away)
    return folded


def _circle(name: str, x: float, y: float, radius: float, _: np.random.Generator) -> Geofence:
    return Geofence(name, Point(x, y), radius, {"radius": radius})


def _ngon(name: str, x: float, y: float, radius: float, random: np.random.Generator) -> Geofence:
    return _round(name, x, y, np.full(random.integers(5, 60), radius))


def _star(name: str, x: float, y: float, radius: float, random: np.random.Generator) -> Geofence:
    distance = np.full(2 * random.integers(5, 60), radius)
    distance[::2] *= random.uniform(0.3, 0.8, len(distance) // 2)
    return _round(name, x, y, distance)


def _round(name: str, x: float, y: float, distance: NDArray[np.float64]) -> Geofence:
    degrees = distance / METRES_A_DEGREE
    return _polygon(name, x, y, degrees / np.cos(np.radians(y)), degrees)


def _polygon(
    name: str, x: float, y: float, east: NDArray[np.float64], north: NDArray[np.float64]
) -> Geofence:
    """Vertices around a place, at distances (degrees) eastward and northward."""
    angle = np.linspace(0, 2 * np.pi, len(east), endpoint=False)
    vertices = np.column_stack([x + east * np.cos(angle), y + north * np.sin(angle)])
    return Geofence(name, Polygon(vertices), None, {})
