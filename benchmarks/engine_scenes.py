"""What the engine is measured on: geofences, and positions that meet them."""

import sys
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.outlines import country_outlines
from benchmarks.simulated import EUROPE, Fixes, disjoint, mixed, tracks
from geofence.geofence import Geofence
from geofence.reading.geojson import read_geofences
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import read_positions
from sample_data.flights import DEFAULT_FOLDER, build

FIXES = 200_000
DENSE, WORLD = (0.0, 45.0, 8.0, 49.0), (-180.0, -60.0, 180.0, 75.0)


class Scene(NamedTuple):
    """Geofences, and positions by time."""

    geofences: list[Geofence]
    fixes: Fixes


def _flights() -> Scene:
    flights = build(DEFAULT_FOLDER, lambda text: print(text, file=sys.stderr))
    read = read_positions(flights.positions, DecodeLimits(max_ahead=None))
    columns = (read.device, read.sample_time, read.longitude, read.latitude)
    return Scene(
        read_geofences(flights.geofences.read_bytes()), Fixes(*(column[:FIXES] for column in columns))
    )


SERIES = {"100": 100, "1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
"""Simulated geofences of 2 to 50 km all over Europe, which overlap the more the more there are."""

SCENES: dict[str, Callable[[], Scene]] = {
    "flights": _flights,
    "dense": lambda: Scene(mixed(1_500, DENSE), tracks(DENSE)),
    "disjoint": lambda: Scene(disjoint(40, 50), tracks(EUROPE)),
    "outlines": lambda: Scene(country_outlines(), tracks(WORLD)),
    **{name: lambda count=count: Scene(mixed(count), tracks(EUROPE)) for name, count in SERIES.items()},
}
"""By the name that each has in the table."""

LONG = {"outlines": "fetched by npm", "1m": "half an hour and 8 GB"}
"""Measured only if they are named, and why."""
