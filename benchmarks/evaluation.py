"""The evaluator, state and all, beside GEOS in bulk without state and beside the one-at-a-time loop.

Real flights in the order of their stream, in batches of 5,000; each way five times in turn, the best counts.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry import shape

from benchmarks.one_at_a_time import OneAtATime
from geofence.circle import circle_boxes
from geofence.evaluator import evaluate
from geofence.geojson import read_geofences
from geofence.index import GeofenceIndex
from geofence.state import InsideState
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import OfflinePositions, read_positions
from sample_data.flights import DEFAULT_FOLDER, build

BATCH = 5_000
ROUNDS = 5
LOOPED = 20_000
"""Positions of the one-at-a-time loop, which would take long for all."""

WGS84 = Geod(ellps="WGS84")
Coordinates = NDArray[np.float64]


def run() -> None:
    """Prints thousand positions a second, and the ratios."""
    flights = build(DEFAULT_FOLDER, lambda text: print(text, file=sys.stderr))
    document = flights.geofences.read_bytes()
    positions = read_positions(flights.positions, DecodeLimits(max_ahead=None))
    index = GeofenceIndex(dict(enumerate(read_geofences(document), 1)))
    bare = BareGeos(json.loads(document))
    ways: dict[str, Callable[[], int]] = {
        "evaluator: geometry and state": lambda: _evaluated(index, positions),
        "evaluator: geometry alone": lambda: _contained(index.containing, positions),
        "bare GEOS in bulk, no state": lambda: _contained(bare.containing, positions),
        "one at a time: rtree, prepared": lambda: _looped(json.loads(document), positions),
    }
    best = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            count = way()
            best[name] = max(best[name], count / (time.perf_counter() - start))
    evaluator, _, geos, loop = best.values()
    print(f"evaluation: {len(positions):,} real fixes, {len(index)} geofences, batches of {BATCH:,}")
    for name, rate in best.items():
        print(f"  {name:<32} {rate / 1e3:9,.0f} thousand/s")
    print(f"  beside bare GEOS                 {evaluator / geos:9.2f}   (0.7 wanted)")
    print(f"  beside one at a time             {evaluator / loop:9.1f}")


class BareGeos:
    """GEOS and PROJ in bulk: a packed tree of boxes, then the exact test of all candidate pairs at once."""

    def __init__(self, collection: dict[str, list[dict[str, dict[str, float]]]]) -> None:
        geometries = [shape(feature["geometry"]) for feature in collection["features"]]
        self._geometry = np.array(geometries, np.object_)
        shapely.prepare(self._geometry)
        self._circle = np.array([geometry.geom_type == "Point" for geometry in geometries])
        self._radius = np.array(
            [feature["properties"].get("radius", 0) for feature in collection["features"]]
        )
        self._x, self._y = np.array([geometry.centroid.coords[0] for geometry in geometries]).T
        boxes = [
            circle_boxes(geometry.x, geometry.y, radius)[0]
            if geometry.geom_type == "Point"
            else geometry.bounds
            for geometry, radius in zip(geometries, self._radius, strict=True)
        ]
        self._tree = shapely.STRtree(shapely.box(*np.array(boxes).T))

    def containing(self, longitude: Coordinates, latitude: Coordinates) -> NDArray[np.intp]:
        """Numbers of positions and geofences (2 x m)."""
        position, geofence = self._tree.query(shapely.points(longitude, latitude))
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


def _batches(positions: OfflinePositions) -> Iterator[slice]:
    return (slice(start, start + BATCH) for start in range(0, len(positions), BATCH))


def _evaluated(index: GeofenceIndex, positions: OfflinePositions) -> int:
    state = InsideState(len(positions.device_ids))
    for batch in _batches(positions):
        containment = index.containing(positions.longitude[batch], positions.latitude[batch])
        state.apply(evaluate(positions.device[batch], positions.sample_time[batch], containment, state))
    return len(positions)


def _contained(containing: Callable[[Coordinates, Coordinates], object], positions: OfflinePositions) -> int:
    for batch in _batches(positions):
        containing(positions.longitude[batch], positions.latitude[batch])
    return len(positions)


def _looped(collection: dict[str, object], positions: OfflinePositions) -> int:
    evaluator = OneAtATime(collection)
    columns = (positions.device, positions.sample_time, positions.longitude, positions.latitude)
    for device, sample_time, longitude, latitude in zip(
        *(column[:LOOPED].tolist() for column in columns), strict=True
    ):
        evaluator.crossings(device, sample_time, longitude, latitude)
    return LOOPED


if __name__ == "__main__":
    run()
