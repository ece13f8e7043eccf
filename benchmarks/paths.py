"""What paths cross, beside bare GEOS: a tree of boundaries, and the intersection of each path that meets one.

Paths join consecutive positions of simulated or real tracks. GEOS knows no geodesic circle: it gets polygons
of 64 corners instead, and says where boundaries are met, but not whether a path comes in or goes out. Seconds
are those of the processor.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import shapely
from pyproj import Geod

from benchmarks.engine import SCENES
from benchmarks.simulated import Fixes
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.paths.paths import Paths

BATCHES = (500, 5_000)
MOST, ROUNDS, CORNERS = 50_000, 3, 64
SIZES = ("flights", "100", "1k", "dense", "10k", "100k")
WGS84 = Geod(ellps="WGS84")


def run() -> None:
    """Prints a table; microseconds are those of one path."""
    print(
        f"{'fences':<9}{'number':>9}{'crossed':>8} |{'batch':>7}{'paths us':>10}{'positions us':>13}"
        f"{'GEOS us':>9} |{'x GEOS':>7}",
        flush=True,
    )
    for name in SIZES:
        geofences, fixes = SCENES[name]()
        _measure(name, geofences, _joined(fixes))


def _measure(name: str, geofences: list[Geofence], paths: Paths) -> None:
    index = GeofenceIndex(dict(enumerate(geofences, 1)))
    index.settle()
    boundaries = np.array([_boundary(geofence) for geofence in geofences], np.object_)
    tree = shapely.STRtree(boundaries)
    crossed = len(index.crossings(paths)) / len(paths)
    for batch in BATCHES:
        parts = [paths.take(slice(at, at + batch)) for at in range(0, len(paths), batch)]
        ours, positions, geos = _best(
            [
                lambda parts=parts: [index.crossings(part) for part in parts],
                lambda parts=parts: [index.containing(part.to_longitude, part.to_latitude) for part in parts],
                lambda parts=parts: [_met(tree, boundaries, part) for part in parts],
            ]
        )
        ours, positions, geos = (seconds / len(paths) * 1e6 for seconds in (ours, positions, geos))
        print(
            f"{name:<9}{len(geofences):>9,}{crossed:>8.2f} |{batch:>7,}{ours:>10.2f}{positions:>13.2f}"
            f"{geos:>9.2f} |{geos / ours:>7.2f}",
            flush=True,
        )


def _joined(fixes: Fixes) -> Paths:
    """Paths between consecutive positions of each device, over no antimeridian, in order of time."""
    order = np.lexsort((fixes.sample_time, fixes.device))
    former = np.flatnonzero(fixes.device[order][1:] == fixes.device[order][:-1])
    start, end = order[former], order[former + 1]
    along = np.argsort(fixes.sample_time[end], kind="stable")
    start, end = start[along], end[along]
    near = np.flatnonzero(np.abs(fixes.longitude[end] - fixes.longitude[start]) < 180)[:MOST]
    start, end = start[near], end[near]
    x, y = fixes.longitude, fixes.latitude
    return Paths(x[start], y[start], x[end], y[end])


def _boundary(geofence: Geofence) -> shapely.Geometry:
    if geofence.radius is None:
        return shapely.boundary(geofence.geometry)
    centre, ones = geofence.geometry, np.ones(CORNERS)
    azimuths = np.linspace(0, 360, CORNERS, endpoint=False)
    x, y, _ = WGS84.fwd(centre.x * ones, centre.y * ones, azimuths, geofence.radius * ones)
    return shapely.linearrings(np.column_stack([x, y]))


def _met(
    tree: shapely.STRtree, boundaries: "np.ndarray[tuple[int], np.dtype[np.object_]]", paths: Paths
) -> int:
    ends = [paths.from_longitude, paths.from_latitude, paths.to_longitude, paths.to_latitude]
    lines = shapely.linestrings(np.stack(ends, axis=1).reshape(-1, 2, 2))
    path, boundary = tree.query(lines, predicate="intersects")
    return len(shapely.get_coordinates(shapely.intersection(lines[path], boundaries[boundary])))


def _best(ways: Sequence[Callable[[], object]]) -> list[float]:
    best = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for number, way in enumerate(ways):
            start = time.process_time()
            way()
            best[number] = min(best[number], time.process_time() - start)
    return best
