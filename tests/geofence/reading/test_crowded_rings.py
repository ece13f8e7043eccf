"""Rings that GEOS would compare for minutes, and those that it compares at all."""

import json
import time

import pytest

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_accepted_geofence, read_geofence
from tests.geofence.reading.squares import Ring, box


def polygon(*holes: Ring, size: float = 80) -> bytes:
    geometry = {"type": "Polygon", "coordinates": [box(0, 0, size), *holes]}
    return json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}).encode()


def sliver(east: float) -> Ring:
    """From corner to corner, so that its box meets those of all like it."""
    return [[east, 1], [40 + east, 41], [40 + east + 2e-4, 41], [east + 2e-4, 1], [east, 1]]


@pytest.mark.parametrize(
    "holes",
    [
        [box(1 + at * 1e-3, 1 + at * 1e-3, 70 - at * 2e-3) for at in range(5_000)],
        [box(1, 1, 1)] * 5_000,
        [sliver(1 + at * 1e-3) for at in range(10_000)],
    ],
    ids=["nested", "equal", "slivers"],
)
def test_rings_that_would_take_minutes_to_compare_are_refused_in_seconds(holes: list[Ring]) -> None:
    began = time.process_time()
    with pytest.raises(InvalidGeofences) as refused:
        read_geofence(polygon(*holes), "x")

    assert time.process_time() - began < 20
    (fault,) = refused.value.faults
    assert fault.reason == "crowded"
    assert "put them into several features" in str(fault)


def test_many_rings_that_lie_apart_are_taken() -> None:
    holes = [box(1 + x, 1 + y, 0.9) for x in range(70) for y in range(70)]

    assert len(read_geofence(polygon(*holes), "x").geometry.interiors) == 4_900


def test_crowded_rings_that_were_taken_once_stay() -> None:
    slivers = polygon(*(sliver(1 + at * 1e-3) for at in range(2_100)))
    with pytest.raises(InvalidGeofences, match="so many rings"):
        read_geofence(slivers, "x")

    assert len(read_accepted_geofence(slivers, "x").geometry.interiors) == 2_100


@pytest.mark.parametrize("degrees", [1e-162, 1e-200, 1e-310])
def test_rings_too_small_to_be_compared_are_refused_in_our_own_words(degrees: float) -> None:
    hole = [[x * degrees, y * degrees] for x, y in box(0.3, 0.2, 0.5)]
    try:
        taken = read_geofence(polygon(hole, size=degrees), "x")
    except InvalidGeofences as refused:
        assert {fault.reason for fault in refused.faults} <= {"too_small", "overlap", "hole_outside"}
    else:
        assert len(taken.geometry.interiors) == 1
