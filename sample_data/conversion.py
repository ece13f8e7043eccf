"""From the recordings' own form to Overfly's messages and geofences.

Every rounding and order below is part of the result's hash: the expected events belong to these exact fixes.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry import box, mapping, shape

Row = dict[str, Any]
"""One recorded state as JSON gave it: ms, feet, knots, feet per minute."""

REQUIRED = ("latitude", "longitude", "timestamp", "icao24")

MEASURES = (
    # member, recorded as, factor to SI, decimals
    ("altitude", "altitude", 0.3048, 1),
    ("speed", "groundspeed", 0.514444, 1),
    ("heading", "track", 1.0, 1),
    ("verticalRate", "vertical_rate", 0.00508, 2),
)

MARGIN = 0.3
"""Degrees by which the flights' bounding box is widened before it chooses regions."""

GRID = 1e-6
"""Degrees; the precision that regions are kept in."""


def position_lines(rows: Iterable[Row]) -> bytes:
    """NDJSON messages sorted by time, then aircraft; the first of equal (aircraft, time) is kept."""
    first: dict[tuple[int, str], Row] = {}
    for row in rows:
        if all(row.get(name) is not None for name in REQUIRED):
            first.setdefault((int(row["timestamp"]), str(row["icao24"])), row)
    return b"".join(_line(time, device, first[time, device]) for time, device in sorted(first))


def bounding_box(rows: Iterable[Row]) -> shapely.Polygon:
    """The box around all fixes, widened by MARGIN."""
    fixes = [row for row in rows if all(row.get(name) is not None for name in REQUIRED)]
    longitudes = [row["longitude"] for row in fixes]
    latitudes = [row["latitude"] for row in fixes]
    return box(
        min(longitudes) - MARGIN, min(latitudes) - MARGIN, max(longitudes) + MARGIN, max(latitudes) + MARGIN
    )


def flight_regions(collection: dict[str, Any], around: shapely.Polygon) -> list[dict[str, object]]:
    """The flight information regions that meet `around`, as features `FIR-<ident>-<n>`."""
    features = []
    count: Counter[str] = Counter()
    for region in collection["features"]:
        geometry = shape(region["geometry"])
        if not geometry.intersects(around):
            continue
        ident = region["properties"]["IDENT"]
        count[ident] += 1
        outline = shapely.set_precision(_areas(shapely.make_valid(geometry)), GRID)
        features.append(
            {
                "type": "Feature",
                "id": f"FIR-{ident}-{count[ident]}",
                "properties": {"name": region["properties"]["NAME"]},
                "geometry": mapping(outline),
            }
        )
    return features


def _line(time: int, device: str, row: Row) -> bytes:
    seconds, milliseconds = divmod(time, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    message: dict[str, object] = {
        "deviceId": device,
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z",
        "latitude": round(row["latitude"], 6),
        "longitude": round(row["longitude"], 6),
    }
    for member, recorded, factor, decimals in MEASURES:
        if row.get(recorded) is not None:
            message[member] = round(row[recorded] * factor, decimals)
    if row.get("callsign"):
        message["callsign"] = row["callsign"]
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _areas(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry, without the lines and points that making it valid may leave."""
    if geometry.geom_type in {"Polygon", "MultiPolygon"}:
        return geometry
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)
