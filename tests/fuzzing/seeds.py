"""What the fuzzer starts from: features of every kind, each with trouble of its own, good and bad."""

import json

Json = dict[str, object]


def feature(kind: str, coordinates: object, geofence_id: object = "a", **properties: object) -> Json:
    """A GeoJSON Feature."""
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": geofence_id, "properties": properties, "geometry": geometry}


SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]
TOUCHING_HOLE = [[0, 5], [2, 6], [2, 4], [0, 5]]
BOW_TIE = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]
SPIKE = [[0, 0], [10, 0], [10, 5], [20, 5], [10, 5], [10, 10], [0, 0]]
CAP = [[-180, 60], [180, 60], [180, 90], [-180, 90], [-180, 60]]
BAND = [[-180, -10], [0, -12], [180, -10], [180, 10], [-180, 10], [-180, -10]]
EAST, WEST = [[170, 0], [180, 0], [180, 5], [170, 0]], [[-180, 0], [-170, 0], [-180, 5], [-180, 0]]
ACROSS = [[170, 0], [-170, 0], [-170, 5], [170, 0]]
SLIVER = [[-1e-9, 0.1], [1e-9, 0.1], [0.0, 0.30000000000000004], [-1e-9, 0.1]]
REPEATED = [[0, 0, 400], [0, 0], [10, 0], [10, 0], [10, 10, 3, 4], [0, 0]]
METRES = [[900000, 6000000], [910000, 6000000], [910000, 6010000], [900000, 6000000]]
STAR = [
    [8.1, 47.2],
    [8.5, 47.4],
    [8.9, 47.2],
    [8.6, 47.6],
    [8.9, 47.9],
    [8.5, 47.7],
    [8.1, 47.9],
    [8.1, 47.2],
]

FEATURES: list[Json] = [
    feature("Polygon", [SQUARE, HOLE], name="Alpha"),
    feature("Polygon", [SQUARE, TOUCHING_HOLE, HOLE], name="x\\", deep=[[{"y": 1.5e3}]], none=None),
    feature("Polygon", [STAR], minAltitude=300, maxAltitude=1e4, maxAccuracy=50, devices=["4b1*", "a?", "x"]),
    feature("Polygon", [BOW_TIE]),
    feature("Polygon", [SPIKE]),
    feature("Polygon", [CAP]),
    feature("Polygon", [BAND]),
    feature("Polygon", [ACROSS]),
    feature("Polygon", [SLIVER], note="NaN"),
    feature("Polygon", [REPEATED]),
    feature("Polygon", [METRES]),
    feature("Polygon", SQUARE),
    feature("Polygon", [[]]),
    feature("MultiPolygon", [[EAST], [WEST]]),
    feature("MultiPolygon", [[SQUARE, HOLE], [CAP]]),
    feature("MultiPolygon", [[SQUARE], [HOLE]]),
    feature("MultiPolygon", [[SQUARE], [SQUARE]]),
    feature("Point", [8.55, 47.45], radius=8000),
    feature("Point", [180, 89.9], radius=500_000, name="Zürich \N{AIRPLANE}"),
    feature("Point", [-179.999, 0], radius=10_000_000),
    feature("Point", [91, 91], radius=1e-9),
    feature("Point", [1, 2], dwellSeconds=60, exitAfterSeconds=30, exitAfterMetres=100),
    feature("Point", [1, 2], radius=5, schedule={"zone": "Europe/Zurich", "weekly": {"mon": ["8-12"]}}),
    feature("Point", [1, 2], radius=5, schedule="DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;COUNT=3"),
    feature("Point", [1, 2], radius=5, deviceProperties={"callsign": ["SWR*"]}),
    feature("Point", [1, 2], 12, radius="8"),
    {**feature("LineString", [[0, 0], [1, 1]]), "minAltitude": 5, "schedule": 1},
    {"type": "Feature", "properties": None, "geometry": None},
    {
        "type": "FeatureCollection",
        "features": [feature("Polygon", [SQUARE]), feature("Point", [0, 0], radius=1)],
    },
]

NUMBERS = (
    "0",
    "-0.0",
    "1",
    "-1",
    "90",
    "-90",
    "180",
    "-180",
    "180.00000000000003",
    "-179.99999999999997",
    "90.00000000000001",
    "360",
    "5e-324",
    "2.2250738585072014e-308",
    "1e-300",
    "1e308",
    "1.7976931348623157e308",
    "1e400",
    "NaN",
    "-Infinity",
    "9007199254740993",
    "18446744073709551616",
    "0.1",
    "0.30000000000000004",
    "10000000",
    "10000000.000000002",
    "1" * 400,
    "1" * 5000,
)
"""As they stand in JSON, or in what some write for JSON."""

TEXTS = (
    "FeatureCollection",
    "Feature",
    "Polygon",
    "MultiPolygon",
    "Point",
    "a",
    "b",
    "é中9._-",
    "x" * 101,
    "",
    "*",
    "a*b?c",
    "*" * 100,
    "\0",
    "\ud800",
    "\ud83d\ude00",
    "true",
    "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=8",
    "Europe/Zurich",
    "08:00",
)

NAMES = (
    "type",
    "id",
    "geometry",
    "properties",
    "coordinates",
    "features",
    "bbox",
    "name",
    "radius",
    "minAltitude",
    "maxAltitude",
    "maxAccuracy",
    "devices",
    "deviceProperties",
    "dwellSeconds",
    "exitAfterSeconds",
    "exitAfterMetres",
    "schedule",
)

DOCUMENTS: list[bytes] = [json.dumps(each, separators=(",", ":")).encode() for each in FEATURES] + [
    b"",
    b"\xef\xbb\xbf{}",
    b'{"type":"Feature","id":"a","properties":{"x":"\\ud800"},"geometry":{"type":"Point","coordinates":[NaN,1e999]}}',
    b"[" * 200 + b"]" * 200,
]
