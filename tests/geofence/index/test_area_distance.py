"""Distances from many positions to many areas agree with densely sampled boundaries."""

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point

from geofence.earth.ellipsoid import WGS84
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from tests.geofence.reference import contains
from tests.geofence.strategies import geofences, positions_near

MILLIMETRE = 1e-3
ROUNDING = 1e-6
SAMPLES = 400
FIJI = Geofence(
    "fiji", MultiPolygon([shapely.box(170, -20, 180, -10), shapely.box(-180, -20, -170, -10)]), None, {}
)
ARCTIC = Geofence("arctic", shapely.box(-180, 60, 180, 90), None, {})
CIRCLE = Geofence("circle", Point(8, 47), 1000.0, {})

Position = tuple[float, float]


def distances(
    fences: list[Geofence], pairs: list[tuple[int, Position]], limit: float = np.inf
) -> list[float]:
    index = GeofenceIndex(dict(enumerate(fences, 1)))
    keys = np.array([number + 1 for number, _ in pairs], np.int32)
    longitude, latitude = np.array([position for _, position in pairs], np.float64).reshape(-1, 2).T
    found = index.distances(keys, longitude, latitude, np.full(len(pairs), limit))
    return [float(distance) for distance in found]


def sampled(geofence: Geofence, position: Position) -> float:
    """The least distance to samples of the boundary, ever more finely around the nearest of each edge."""
    if geofence.radius is not None:
        centre = geofence.geometry
        return float(WGS84.inv(centre.x, centre.y, *position)[2] - geofence.radius)
    rings = shapely.get_rings(shapely.get_parts(geofence.geometry))
    starts = np.concatenate([shapely.get_coordinates(ring)[:-1] for ring in rings])
    ends = np.concatenate([shapely.get_coordinates(ring)[1:] for ring in rings])
    low, high, number = np.zeros(len(starts)), np.ones(len(starts)), np.arange(len(starts))
    for _ in range(5):
        share = np.linspace(low, high, SAMPLES, axis=1)
        points = starts[:, None] + share[..., None] * (ends - starts)[:, None]
        ones = np.ones(points.shape[:2])
        away = WGS84.inv(position[0] * ones, position[1] * ones, points[..., 0], points[..., 1])[2]
        nearest = np.argmin(away, axis=1)
        low = share[number, np.maximum(nearest - 1, 0)]
        high = share[number, np.minimum(nearest + 1, SAMPLES - 1)]
    return float(away.min())


@st.composite
def fences_and_pairs(draw: st.DrawFn) -> tuple[list[Geofence], list[tuple[int, Position]]]:
    fences = draw(st.lists(geofences, min_size=1, max_size=3))
    numbers = draw(st.lists(st.integers(0, len(fences) - 1), max_size=6))
    return fences, [(number, draw(positions_near(fences))) for number in numbers]


@given(fences_and_pairs())
@example(([FIJI], [(0, (0.0, 0.0)), (0, (180.0, -15.0)), (0, (-169.0, -15.0))]))
@example(([ARCTIC], [(0, (3.0, 90.0)), (0, (3.0, 59.0))]))
@example(([CIRCLE], [(0, (8.0, 47.001)), (0, (8.0, 47.01))]))
@settings(max_examples=60, deadline=None)
def test_distance_is_that_to_the_nearest_point_of_the_area(
    case: tuple[list[Geofence], list[tuple[int, Position]]],
) -> None:
    fences, pairs = case
    for (number, position), found in zip(pairs, distances(fences, pairs), strict=True):
        if contains(fences[number], *position):
            assert found == 0
        else:
            expected = sampled(fences[number], position)
            tolerance = 1.0 if expected > 19_500_000 else MILLIMETRE + 1e-9 * expected
            assert expected - 2 * tolerance <= found <= expected + tolerance + ROUNDING


@given(fences_and_pairs(), st.sampled_from([1e-3, 10.0, 5_000.0, 300_000.0, 9e6]))
@settings(max_examples=60, deadline=None)
def test_distance_within_the_limit_is_the_same_as_without_one(
    case: tuple[list[Geofence], list[tuple[int, Position]]], limit: float
) -> None:
    for found, exact in zip(distances(*case, limit), distances(*case), strict=True):
        if exact < limit - MILLIMETRE - 1e-9 * limit:
            assert abs(found - exact) <= MILLIMETRE + 1e-9 * limit
        else:
            assert found >= limit - MILLIMETRE - 1e-9 * limit


def test_what_is_beyond_the_limit_is_told_to_be_no_nearer_than_that() -> None:
    pairs = [(0, (170.0, -9.0)), (1, (8.0, 48.0)), (1, (8.0, 47.01))]
    exact, limited = distances([FIJI, CIRCLE], pairs), distances([FIJI, CIRCLE], pairs, 1_000.0)
    assert limited[2] == exact[2] < 1_000
    assert min(limited[:2]) >= 1_000


def test_distance_over_the_antimeridian_is_found_within_the_limit_to_the_west_and_to_the_east() -> None:
    for position, west in (((179.9, 0.0), -179.5), ((-179.9, 0.0), 179.25), ((-179.5, 0.0), 179.25)):
        beyond = Geofence("beyond", shapely.box(west, -1, west + 0.25, 1), None, {})
        (found,) = distances([beyond], [(0, position)], 200_000.0)
        assert abs(found - sampled(beyond, position)) <= MILLIMETRE


def test_distances_are_the_same_however_few_edges_are_looked_at_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs = [(number, (float(x), 49.0)) for number in range(3) for x in range(-2, 12)]
    fences = [FIJI, ARCTIC, Geofence("circle", Point(8, 47).buffer(1), None, {})]
    together = distances(fences, pairs)
    monkeypatch.setattr("geofence.index.area_distance.EDGES_AT_ONCE", 50)
    assert distances(fences, pairs) == together


def test_distances_of_no_pairs_are_none() -> None:
    assert distances([FIJI], []) == []


@given(fences_and_pairs())
@settings(max_examples=30, deadline=None)
def test_distances_of_pairs_asked_together_are_those_of_each_alone(
    case: tuple[list[Geofence], list[tuple[int, Position]]],
) -> None:
    fences, pairs = case
    assert distances(fences, pairs) == [distances(fences, [pair])[0] for pair in pairs]
