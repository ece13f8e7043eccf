"""Where an edge that goes the long way is to be cut; and which leave no doubt, wherever their ring begins."""

import numpy as np
import pytest

from geofence.faults import FeatureFaults
from geofence.reading.long_edges import refuse_long_edges

Ring = list[list[float]]


def said_of(ring: Ring) -> list[str]:
    faults = FeatureFaults()
    refuse_long_edges(np.array(ring, np.float64), "ring", faults)
    return [fault.detail for fault in faults.found]


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        ([178, 0], [-170, 12], "[180, 2] and [-180, 2]"),
        ([-170, 12], [178, 0], "[-180, 2] and [180, 2]"),
        ([179.75, 0], [-179.75, 1], "[180, 0.5] and [-180, 0.5]"),
        ([180, 66], [-180, 60], "[180, 66] and [-180, 66]"),
        ([170, -85], [-80, -74], "[180, -84] and [-180, -84]"),
        ([80, 72], [-150, 85], "[180, 82] and [-180, 82]"),
    ],
)
def test_edge_is_to_be_cut_where_the_short_way_meets_the_antimeridian(
    start: list[float], end: list[float], cut: str
) -> None:
    assert f"this edge at {cut}; if the long way is meant" in said_of([start, end, start])[0]


@pytest.mark.parametrize(
    ("count", "others"), [(2, ", and 1 other of this ring too:"), (3, ", and 2 others of this ring too:")]
)
def test_other_edges_that_go_the_long_way_are_counted(count: int, others: str) -> None:
    zigzag = [[170.0 * (-1) ** number, number] for number in range(count + 1)]
    assert others in said_of([*zigzag, [0, -9], zigzag[0]])[0]


@pytest.mark.parametrize(("latitude", "pole"), [(0, 90), (0.5, 90), (-0.5, -90)])
def test_ring_around_the_earth_is_led_around_the_pole_of_its_own_side(latitude: float, pole: int) -> None:
    around: Ring = [[0, latitude], [90, latitude], [170, latitude], [-90, latitude], [0, latitude]]
    assert f"[180, {pole}], [-180, {pole}]" in said_of(around)[0]


BAND: Ring = [[0, -12], [180, -10], [180, 10], [-180, 10], [-180, -10]]
SIDE_THEN_ANTIMERIDIAN: Ring = [[0, 10], [-180, -10], [180, -10], [180, 10]]


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("ring", [BAND, SIDE_THEN_ANTIMERIDIAN, SIDE_THEN_ANTIMERIDIAN[::-1]])
def test_band_around_the_earth_leaves_no_doubt_wherever_its_ring_begins(ring: Ring, first: int) -> None:
    turned = ring[first:] + ring[:first]
    assert said_of([*turned, turned[0]]) == []
