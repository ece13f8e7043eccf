"""Forecasts agree with brute force: boundaries and courses sampled densely, one point at a time."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.earth.edges import bounding_edges
from geofence.earth.ellipsoid import WGS84
from geofence.forecasting.forecast import CourseForecast, course_forecast, forecast
from geofence.forecasting.vicinity import Vicinity
from geofence.geofence import Geofence
from tests.geofence.forecasting.boundary import ROUNDING, SAMPLES, boundary, depth, distances, refined
from tests.geofence.reference import contains
from tests.geofence.strategies import geofences, latitudes, longitudes, positions_near

MILLIMETRE = 1e-3
NONE = np.empty(0, np.int32)
FIRST = np.array([1], np.int32)


def polygon(*vertices: tuple[float, float]) -> Geofence:
    return Geofence("area", Polygon(vertices), None, {})


def circle(longitude: float, latitude: float, radius: float) -> Geofence:
    return Geofence("circle", Point(longitude, latitude), radius, {"radius": radius})


BOX = Geofence("box", shapely.box(8, 47, 9, 48), None, {})
WITH_HOLE = Geofence(
    "hole", shapely.box(8, 47, 9, 48).difference(shapely.box(8.25, 47.25, 8.75, 47.75)), None, {}
)
FIJI = Geofence(
    "fiji", MultiPolygon([shapely.box(170, -20, 180, -10), shapely.box(-180, -20, -170, -10)]), None, {}
)
SLOT = polygon((-180, 0), (0, 0), (180, 0), (180, -90), (0, -85), (-180, -90))
"""All of the south but for what lies between the pole and 85 degrees; it touches the pole."""

ARCTIC = Geofence("arctic", shapely.box(-180, 60, 180, 90), None, {})


@st.composite
def a_geofence_and_a_position(draw: st.DrawFn) -> tuple[Geofence, tuple[float, float]]:
    geofence = draw(geofences)
    return geofence, draw(positions_near([geofence]))


@given(a_geofence_and_a_position())
@example((ARCTIC, (0.0, 90.0)))
@example((ARCTIC, (0.0, 89.9999999)))
@example((FIJI, (180.0, -15.0)))
@example((WITH_HOLE, (8.5, 47.5)))
@example((polygon((0, 80), (170, 80), (90, 89)), (-90.0, 85.0)))
@settings(max_examples=100, deadline=None)
def test_nearest_distance_is_that_of_the_nearest_boundary_point(
    case: tuple[Geofence, tuple[float, float]],
) -> None:
    geofence, position = case
    points = boundary(geofence)
    inside = contains(geofence, *position)
    found = forecast(Vicinity({1: geofence}), FIRST if inside else NONE, *position, 1.0, 3e7)
    if not len(points):
        assert found.distance.tolist() == [math.inf] and found.types == ["IDLE"]
        return
    distance = found.distance[0]
    sampled = distances(position, points)
    step = distances_between(points)
    tolerance = MILLIMETRE + 1e-9 * distance if distance < 19_500_000 else 1.0
    nearest = sampled.min() if geofence.radius is not None else refined(position, points)
    assert distance <= nearest + tolerance + ROUNDING
    assert distance >= sampled.min() - step - ROUNDING


def distances_between(points: NDArray[np.float64]) -> float:
    """The longest way between neighbours among samples of one edge, or of a circle."""
    edges = points.reshape(-1, SAMPLES, 2)
    first, last = edges[:, :-1].reshape(-1, 2), edges[:, 1:].reshape(-1, 2)
    return float(WGS84.inv(*first.T, *last.T)[2].max())


def test_inside_outside_and_within_a_hole_are_enter_exit_and_idle() -> None:
    vicinity = Vicinity({1: BOX, 2: WITH_HOLE, 3: circle(8.5, 47.5, 30_000), 4: circle(20, 47.5, 100)})
    found = forecast(vicinity, np.array([1, 3], np.int32), 8.5, 47.5, speed=20.0, horizon=1800.0)
    assert dict(zip(found.geofence.tolist(), found.types, strict=True)) == {1: "IDLE", 2: "ENTER", 3: "EXIT"}
    assert found.geofence.tolist() == [2, 3, 1]
    assert found.seconds[:2] == pytest.approx(found.distance[:2] / 20)
    assert np.isnan(found.seconds[2])
    assert found.distance[1] == pytest.approx(30_000, abs=ROUNDING)


@pytest.mark.parametrize(("speed", "horizon"), [(0.0, 3600.0), (100.0, 0.0), (0.0, 0.0)])
def test_without_speed_or_horizon_only_what_contains_the_device_is_listed_as_idle(
    speed: float, horizon: float
) -> None:
    vicinity = Vicinity({1: BOX, 2: circle(7.999999, 47, 0.01)})
    found = forecast(vicinity, FIRST, 8.0, 47.0, speed, horizon)
    assert (found.geofence.tolist(), found.types) == ([1], ["IDLE"])
    assert found.distance == pytest.approx([0.0], abs=MILLIMETRE)


def test_what_is_a_centimetre_beyond_reach_is_left_out_and_a_centimetre_within_is_not() -> None:
    away = WGS84.inv(7.9, 47.5, 8.0, 47.5)[2]
    nearest = forecast(Vicinity({1: BOX}), NONE, 7.9, 47.5, 1.0, 2 * away).distance[0]
    for horizon, types in ((nearest - 0.01, []), (nearest + 0.01, ["ENTER"])):
        assert forecast(Vicinity({1: BOX}), NONE, 7.9, 47.5, 1.0, horizon).types == types


@given(st.lists(geofences, max_size=6), longitudes, latitudes, st.floats(0, 1e6))
@settings(max_examples=40, deadline=None)
def test_geofences_forecast_together_are_those_forecast_one_by_one(
    fences: list[Geofence], longitude: float, latitude: float, reach: float
) -> None:
    keyed = dict(enumerate(fences, 1))
    inside = np.array([key for key, fence in keyed.items() if contains(fence, longitude, latitude)], np.int32)
    together = forecast(Vicinity(keyed), inside, longitude, latitude, 1.0, reach)
    assert {*inside.tolist()} <= {*together.geofence.tolist()}
    for key, fence in keyed.items():
        at = np.flatnonzero(together.geofence == key)
        alone = forecast(Vicinity({key: fence}), inside[inside == key], longitude, latitude, 1.0, reach)
        assert together.distance[at] == pytest.approx(alone.distance, abs=2 * MILLIMETRE, rel=2e-9)
        assert [together.types[number] for number in at] == alone.types


def test_vicinity_follows_puts_and_discards() -> None:
    vicinity = Vicinity({7: BOX})
    for key in range(100, 300):
        vicinity.put(key, circle(key / 2, 0, 1000))
    vicinity.put(7, circle(0, -60, 1000))
    for key in range(100, 200):
        vicinity.discard(key)
    vicinity.discard(12345)
    assert len(vicinity) == 101
    assert vicinity.within(8.5, 47.0, 1000).tolist() == []
    assert vicinity.within(0, -60, 10).tolist() == [7]
    assert vicinity.within(100, 0, 500).tolist() == [200]
    assert vicinity.within(120.25, 0, 55_000).tolist() == [240, 241]


def holds_at(found: CourseForecast, inside: bool, distance: float) -> bool:
    """Whether the device is inside after `distance` metres, by the crossings forecast."""
    passed = found.entering[found.distance <= distance]
    return bool(passed[-1]) if len(passed) else inside


@st.composite
def a_geofence_and_a_course(draw: st.DrawFn) -> tuple[Geofence, tuple[float, float], float, float]:
    """Courses that start anywhere, or at a pole or some millimetres away, or aim at a vertex or a pole, or
    past it by some millimetres or kilometres.
    """
    geofence, start = draw(a_geofence_and_a_position())
    heading = draw(st.sampled_from([0.0, 90.0, 180.0, 270.0]) | st.floats(0, 360))
    length = draw(st.sampled_from([1.0, 5_000.0, 450_000.0, 9_000_000.0]))
    pole = draw(st.sampled_from([-90.0, 90.0]))
    whence = draw(st.sampled_from(["anywhere", "near a pole", "towards a point"]))
    if whence == "near a pole":
        away = draw(st.just(0.0) | st.floats(-12, -5).map(lambda power: 10.0**power))
        start = start[0], math.copysign(90 - away, pole)
    if whence == "towards a point":
        points = boundary(geofence, 9).tolist() or [[0.0, pole]]
        longitude, latitude = draw(st.sampled_from(points) | st.just((start[0], pole)))
        back = draw(st.floats(0, 360))
        longitude, latitude, heading = WGS84.fwd(longitude, latitude, back, length / 2)
        aside = draw(st.sampled_from([0.0, 1e-3, -2e-3, 0.1, 500.0, -20_000.0]))
        longitude, latitude, _ = WGS84.fwd(longitude, latitude, heading + 90, aside)
        start = longitude, latitude
    return geofence, start, heading, length


@given(a_geofence_and_a_course())
@example((BOX, (8.0, 46.0), 0.0, 450_000.0))
@example((ARCTIC, (8.0, 46.0), 0.0, 9_000_000.0))
@example((ARCTIC, (8.0, 46.0), 1e-6, 9_000_000.0))
@example((FIJI, (160.0, -15.0), 92.0, 9_000_000.0))
@example((FIJI, (180.0, -30.0), 0.0, 3_000_000.0))
@example((circle(0, 90, 500_000), (8.0, 46.0), 0.0, 9_000_000.0))
@example((circle(0, 0, 1e7), (91.0, 0.0), 0.0, 30_000_000.0))
@settings(max_examples=80, deadline=None)
def test_course_crosses_all_that_is_deeper_than_a_millimetre(
    case: tuple[Geofence, tuple[float, float], float, float],
) -> None:
    geofence, start, heading, length = case
    found = course_forecast(Vicinity({1: geofence}), *start, heading, 1.0, length)
    inside = contains(geofence, *start)
    assert np.all(np.diff(found.distance) > 0)
    assert found.entering.tolist() == [inside ^ (number % 2 == 0) for number in range(len(found))]

    beside = [event + by for event in found.distance.tolist() for by in (-0.02, -0.003, 0.003, 0.02)]
    samples = np.concatenate([np.linspace(0, length, 60), [at for at in beside if 0 <= at <= length]])
    for distance in samples.tolist():
        longitude, latitude, _ = WGS84.fwd(*start, heading, distance)
        truth = contains(geofence, longitude, latitude)
        if truth != holds_at(found, inside, distance):
            assert depth(geofence, (longitude, latitude)) <= 1.5 * MILLIMETRE + ROUNDING


@given(a_geofence_and_a_course())
@example((SLOT, (0.0, -90.0), 0.0, 450_000.0))
@example((SLOT, (73.0, -90.0), 0.0, 450_000.0))
@example((SLOT, (180.0, -87.98555895421178), -180.0, 450_000.0))
@settings(max_examples=60, deadline=None)
def test_crossings_lie_on_the_boundary_and_on_the_course(
    case: tuple[Geofence, tuple[float, float], float, float],
) -> None:
    geofence, start, heading, length = case
    found = course_forecast(Vicinity({1: geofence}), *start, heading, 2.0, length / 2)
    assert found.seconds == pytest.approx(found.distance / 2)
    for distance, *place in zip(found.distance, found.longitude, found.latitude, strict=True):
        assert depth(geofence, (place[0], place[1])) <= 2 * ROUNDING
        on_course = WGS84.fwd(*start, heading, distance)[:2]
        assert WGS84.inv(*on_course, *place)[2] <= MILLIMETRE + ROUNDING


def test_cuts_closer_together_than_a_millimetre_hide_no_visit() -> None:
    """The lines through the teeth of a saw cut a course that runs beside them, where they bound nothing."""
    tenth = 1e-4 / 111_174
    saw = [(8 - (number % 2) * tenth, 47 + 5 * number * tenth) for number in range(101)]
    fence = polygon(*saw, (8.1, saw[-1][1]), (8.1, 47.0))
    found = course_forecast(Vicinity({1: fence}), 8 + tenth, 46.999, 0.0, 1.0, 1000.0)
    assert found.entering.tolist() == [True, False]
    assert found.latitude == pytest.approx([47.0, saw[-1][1]], abs=1e-11)


def test_course_along_an_edge_enters_and_leaves_once() -> None:
    found = course_forecast(Vicinity({1: BOX}), 8.0, 46.0, 0.0, 250.0, 3600.0)
    assert found.entering.tolist() == [True, False]
    assert found.latitude.tolist() == [47.0, 48.0]
    assert found.distance == pytest.approx(
        [WGS84.inv(8, 46, 8, 47)[2], WGS84.inv(8, 46, 8, 48)[2]], abs=MILLIMETRE
    )


def test_course_through_a_hole_leaves_and_enters_again() -> None:
    found = course_forecast(Vicinity({1: WITH_HOLE}), 7.5, 47.5, 90.0, 250.0, 3600.0)
    assert found.entering.tolist() == [True, False, True, False]
    assert found.longitude == pytest.approx([8, 8.25, 8.75, 9])


def test_course_over_a_pole_and_the_antimeridian_crosses_neither() -> None:
    vicinity = Vicinity({1: ARCTIC, 2: FIJI})
    over_pole = course_forecast(vicinity, 8.0, 59.0, 0.0, 250.0, 30_000.0)
    assert over_pole.entering.tolist() == [True, False]
    assert over_pole.longitude == pytest.approx([8, -172])
    over_seam = course_forecast(vicinity, 160.0, -15.0, 92.0, 250.0, 16_000.0)
    assert over_seam.geofence.tolist() == [2, 2]
    assert over_seam.longitude == pytest.approx([170, -170])


@given(
    aside=st.sampled_from([-5_000.0, -100.0, -1.0, -0.01, -1e-4, 0.01, 1.0]),
    share=st.floats(0.05, 0.95),
    length=st.floats(50_000, 2_000_000),
)
@settings(max_examples=60, deadline=None)
def test_course_that_grazes_a_circle_crosses_it_twice_and_one_beside_it_never(
    aside: float, share: float, length: float
) -> None:
    top = WGS84.fwd(8.5, 0.0, 0.0, 20_000.0 + aside)
    start = WGS84.fwd(top[0], top[1], 270.0, length * share)
    found = course_forecast(Vicinity({1: circle(8.5, 0.0, 20_000.0)}), *start, 200.0, length / 200)
    half_visit = math.sqrt(max(-2 * 20_000.0 * aside, 0.0))
    if half_visit < min(share, 1 - share) * length / 2:
        assert found.entering.tolist() == ([True, False] if aside < 0 else [])


def test_crossings_of_many_geofences_come_in_order_of_distance() -> None:
    vicinity = Vicinity({1: BOX, 2: circle(8.5, 47.5, 20_000), 3: WITH_HOLE})
    found = course_forecast(vicinity, 7.5, 47.5, 90.0, 250.0, 3600.0)
    assert found.geofence.tolist() == [1, 3, 2, 3, 3, 2, 1, 3]
    assert found.entering.tolist() == [True, True, True, False, True, False, False, False]


def test_device_that_does_not_move_crosses_nothing() -> None:
    assert len(course_forecast(Vicinity({1: BOX}), 8.0, 47.0, 0.0, 0.0, 3600.0)) == 0
    assert len(course_forecast(Vicinity({}), 8.0, 47.0, 0.0, 10.0, 3600.0)) == 0


def test_edge_along_the_antimeridian_bounds_only_where_the_other_side_is_outside() -> None:
    shifted = MultiPolygon([shapely.box(170, 10, 180, 30), shapely.box(-180, 20, -170, 40)])
    edges = bounding_edges(np.array([shifted], np.object_))
    seam = edges.longitude_step == 0
    on_seam = seam & (np.abs(edges.longitude) == 180)
    spans = sorted(
        (longitude, latitude, latitude + step)
        for longitude, latitude, step in zip(
            edges.longitude[on_seam], edges.latitude[on_seam], edges.latitude_step[on_seam], strict=True
        )
    )
    assert spans == [(-180, 30, 40), (180, 10, 20)]
