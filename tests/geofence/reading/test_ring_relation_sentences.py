"""The whole sentence of each fault that rings can have together."""

import json

import pytest

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_geofence
from tests.geofence.reading.squares import SQUARE, box

EXPECTED = "expected holes inside their shell, and holes and polygons that share no more than points"


@pytest.mark.parametrize(
    ("kind", "coordinates", "reason", "sentence"),
    [
        (
            "Polygon",
            [SQUARE, box(20, 20, 1)],
            "hole_outside",
            f"polygon 0 ring 1, vertex 0: the hole lies outside its shell near [20, 20]: {EXPECTED}; move it"
            " into the polygon that it lies in, or make it a polygon of its own",
        ),
        (
            "Polygon",
            [SQUARE, box(2, 2, 4), box(3, 3, 1)],
            "overlap",
            f"polygon 0 ring 2, vertex 0: a hole lies within another hole near [3, 3]: {EXPECTED}; remove "
            "the inner one",
        ),
        (
            "Polygon",
            [SQUARE, box(2, 2, 2), box(3, 3, 2)],
            "overlap",
            "polygon 0 ring 2, vertex 3: this ring and polygon 0 ring 1 cross or run along each other near "
            f"[3, 4]: {EXPECTED}; join the two holes into one",
        ),
        (
            "Polygon",
            [SQUARE, box(9, 9, 2)],
            "overlap",
            "polygon 0 ring 1, vertex 3: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[9, 10]: {EXPECTED}; let the shell go around what the hole cuts off",
        ),
        (
            "Polygon",
            [SQUARE, [[0, 5], [5, 10], [10, 5], [5, 5.5], [0, 5]]],
            "disconnected",
            f"polygon 0 ring 1, vertex 0: holes cut the polygon into pieces near [5, 10]: {EXPECTED}; make "
            "each piece a polygon of its own in a MultiPolygon",
        ),
        (
            "Polygon",
            [SQUARE, SQUARE],
            "overlap",
            "polygon 0 ring 1, vertex 1: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[10, 10]: {EXPECTED}; let the shell go around what the hole cuts off",
        ),
        (
            "Polygon",
            [SQUARE, box(2, 2, 2), box(2, 2, 2)],
            "overlap",
            "polygon 0 ring 2, vertex 1: this ring and polygon 0 ring 1 cross or run along each other near "
            f"[4, 4]: {EXPECTED}; join the two holes into one",
        ),
        (
            "MultiPolygon",
            None,
            "coordinates",
            "coordinates: expected an array of polygons",
        ),
        (
            "MultiPolygon",
            [],
            "too_few",
            "coordinates are empty: expected at least one polygon",
        ),
        (
            "MultiPolygon",
            [[SQUARE], [box(5, 5, 1)]],
            "overlap",
            f"polygon 1 ring 0, vertex 0: a polygon lies within another near [5, 5]: {EXPECTED}; remove the "
            "inner one, or make it a hole of the other",
        ),
        (
            "MultiPolygon",
            [[SQUARE], [box(9, 9, 5)]],
            "overlap",
            "polygon 1 ring 0, vertex 3: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[9, 10]: {EXPECTED}; join the two polygons into one, or make each a feature of its own",
        ),
        (
            "MultiPolygon",
            [[SQUARE], [SQUARE]],
            "overlap",
            "polygon 1 ring 0, vertex 1: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[10, 10]: {EXPECTED}; join the two polygons into one, or make each a feature of its own",
        ),
        (
            "MultiPolygon",
            [[SQUARE], [box(10, 0, 5)]],
            "overlap",
            "polygon 1 ring 0, vertex 2: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[10, 5]: {EXPECTED}; join the two polygons into one, or make each a feature of its own",
        ),
        (
            "MultiPolygon",
            [
                [box(0, 0, 9), box(2, 2, 2)],
                [box(20, 0, 9), [[21, 1], [22, 1], [22, 8], [21, 1]]],
                [box(1, 1, 3.5)],
            ],
            "overlap",
            f"polygon 2 ring 0, vertex 0: a polygon lies within another near [1, 1]: {EXPECTED}; remove the "
            "inner one, or make it a hole of the other",
        ),
        (
            "MultiPolygon",
            [[SQUARE], []],
            "too_few",
            "polygon 1 is empty: expected its shell, then its holes",
        ),
        (
            "MultiPolygon",
            [5],
            "coordinates",
            "polygon 0: expected an array of rings",
        ),
        (
            "MultiPolygon",
            [[SQUARE, box(2, 2, 4)], [box(2, 2, 5)]],
            "overlap",
            "polygon 1 ring 0, vertex 3: this ring and polygon 0 ring 1 cross or run along each other near "
            f"[2, 6]: {EXPECTED}; join the two polygons into one, or make each a feature of its own",
        ),
        (
            "MultiPolygon",
            [[SQUARE, box(2, 2, 4)], [box(1, 1, 9), box(3, 3, 4)]],
            "overlap",
            "polygon 1 ring 0, vertex 1: this ring and polygon 0 ring 0 cross or run along each other near "
            f"[10, 10]: {EXPECTED}; join the two polygons into one, or make each a feature of its own",
        ),
    ],
)
def test_fault_between_rings_is_told_with_what_was_expected_and_what_would_repair_it(
    kind: str, coordinates: object, reason: str, sentence: str
) -> None:
    geometry = {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "id": "f", "properties": {"radius": 5}, "geometry": geometry}
    with pytest.raises(InvalidGeofences) as caught:
        read_geofence(json.dumps(feature).encode(), "f")
    (fault,) = caught.value.faults
    place = "feature (id f): " if fault.ring is None else "feature (id f), "
    assert (fault.reason, str(fault)) == (reason, place + sentence)
