"""The straightforward way: one position at a time, rtree for candidates, prepared shapely to decide.

    python -m benchmarks.one_at_a_time GEOFENCES POSITIONS EVENTS

It is what the evaluator is measured beside, and stands here as anybody would write it first.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyproj import Geod
from rtree.index import Index
from shapely.geometry import Point, shape
from shapely.prepared import prep

WGS84 = Geod(ellps="WGS84")

Crossing = tuple[str, str, str, str]
"""ENTER or EXIT, device id, geofence id, timestamp."""


class OneAtATime:
    """Geofences in an rtree, and what each device was inside of last."""

    def __init__(self, collection: dict[str, Any]) -> None:
        self._ids: list[str] = []
        self._contains: list[Callable[[float, float], bool]] = []
        self._tree = Index()
        self._inside: dict[str, set[str]] = {}
        for number, feature in enumerate(collection["features"]):
            geometry = shape(feature["geometry"])
            self._ids.append(feature["id"])
            if geometry.geom_type == "Point":
                radius = feature["properties"]["radius"]
                east, north = (
                    WGS84.fwd(geometry.x, geometry.y, azimuth, radius * 1.01) for azimuth in (90, 0)
                )
                width, height = east[0] - geometry.x, north[1] - geometry.y
                box = (geometry.x - width, geometry.y - height, geometry.x + width, geometry.y + height)
                self._contains.append(_circle(geometry.x, geometry.y, radius))
            else:
                box = geometry.bounds
                self._contains.append(_polygon(geometry))
            self._tree.insert(number, box)

    def crossings(self, device_id: str, timestamp: str, longitude: float, latitude: float) -> list[Crossing]:
        """What one device crossed with its next position: EXIT before ENTER, then geofence id."""
        candidates = self._tree.intersection((longitude, latitude, longitude, latitude))
        inside = {self._ids[number] for number in candidates if self._contains[number](longitude, latitude)}
        before = self._inside.get(device_id, set())
        self._inside[device_id] = inside
        return [
            *(("EXIT", device_id, geofence_id, timestamp) for geofence_id in sorted(before - inside)),
            *(("ENTER", device_id, geofence_id, timestamp) for geofence_id in sorted(inside - before)),
        ]


def _circle(x: float, y: float, radius: float) -> Callable[[float, float], bool]:
    return lambda longitude, latitude: bool(WGS84.inv(x, y, longitude, latitude)[2] <= radius)


def _polygon(geometry: Any) -> Callable[[float, float], bool]:
    prepared = prep(geometry)
    return lambda longitude, latitude: bool(prepared.intersects(Point(longitude, latitude)))


def main(geofences: Path, positions: Path, events: Path) -> None:
    """Evaluates a gzipped file of positions, which is in time order, into native events."""
    evaluator = OneAtATime(json.loads(geofences.read_bytes()))
    with gzip.open(positions, "rt") as lines, events.open("w") as out:
        for line in lines:
            fix = json.loads(line)
            position = [fix["longitude"], fix["latitude"]]
            for kind, device_id, geofence_id, timestamp in evaluator.crossings(
                fix["deviceId"], fix["timestamp"], *position
            ):
                event = {
                    "eventId": hashlib.sha256(f"{device_id}{geofence_id}{timestamp}".encode()).hexdigest()[
                        :32
                    ],
                    "eventType": kind,
                    "trackerName": "default",
                    "collectionName": "default",
                    "deviceId": device_id,
                    "geofenceId": geofence_id,
                    "sampleTime": timestamp,
                    "position": position,
                }
                out.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
