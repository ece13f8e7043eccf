"""Circles by chords agree with the geodesic, up to the greatest radius."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geofence.earth.circle import GREATEST_RADIUS, Circles, circle_boxes
from geofence.earth.ellipsoid import WGS84
from tests.geofence.strategies import RADII, latitudes, longitudes


def boxes_hold(longitude: float, latitude: float, radius: float, at: tuple[float, float]) -> bool:
    sides = {at[0], -at[0]} if abs(at[0]) == 180 else {at[0]}
    return any(
        west <= side <= east and south <= at[1] <= north
        for west, south, east, north in circle_boxes(longitude, latitude, radius)
        for side in sides
    )


@given(
    longitude=longitudes,
    latitude=latitudes,
    radius=st.sampled_from(RADII) | st.floats(1e-9, 1e7),
    azimuth=st.sampled_from([0.0, 90.0, 180.0, -90.0]) | st.floats(-180, 180),
    share=st.sampled_from([1 - 1e-6, 1 - 1e-9, 1.0, 1 + 1e-9, 1 + 1e-6]) | st.floats(0, 2),
)
@settings(max_examples=400, deadline=None)
def test_circle_holds_exactly_what_is_within_its_radius_along_the_geodesic(
    longitude: float, latitude: float, radius: float, azimuth: float, share: float
) -> None:
    at_longitude, at_latitude, _ = WGS84.fwd(longitude, latitude, azimuth, radius * share)
    within = WGS84.inv(longitude, latitude, at_longitude, at_latitude)[2] <= radius
    circle = Circles.one(longitude, latitude, radius)
    held = circle.contain(np.zeros(1, np.intp), np.array([at_longitude]), np.array([at_latitude]))
    assert bool(held[0]) == within
    if within:
        assert boxes_hold(longitude, latitude, radius, (at_longitude, at_latitude))


@given(
    longitude=longitudes,
    latitude=latitudes,
    place=st.sampled_from([(180.0, None), (None, 90.0), (None, -90.0)]),
    at=st.tuples(longitudes, latitudes),
    steps=st.integers(-2, 2),
)
@settings(max_examples=150, deadline=None)
def test_both_sides_of_the_antimeridian_and_all_longitudes_of_a_pole_are_one_place_to_the_last_bit(
    longitude: float,
    latitude: float,
    place: tuple[float | None, float | None],
    at: tuple[float, float],
    steps: int,
) -> None:
    east, north = (fixed if fixed is not None else drawn for fixed, drawn in zip(place, at, strict=True))
    others = [-180.0, 180.0] if place[0] is not None else [-180.0, -0.0, 33.3, 180.0]
    radius = WGS84.inv(longitude, latitude, east, north)[2]
    radius += steps * np.spacing(radius)
    assume(0 < radius <= GREATEST_RADIUS)
    count = len(others)
    held = Circles.one(longitude, latitude, radius).contain(
        np.zeros(count, np.intp), np.array(others), np.full(count, north)
    )
    assert held.tolist() == [steps >= 0] * count


def test_radius_of_exactly_the_distance_is_inside() -> None:
    distance = WGS84.inv(8.55, 47.45, 8.6, 47.5)[2]
    for radius, inside in ((distance, True), (np.nextafter(distance, 0), False)):
        held = Circles.one(8.55, 47.45, radius).contain(
            np.zeros(1, np.intp), np.array([8.6]), np.array([47.5])
        )
        assert bool(held[0]) is inside


@pytest.mark.parametrize(
    ("centre", "radius", "boxes"),
    [((0, 0), 1000, 1), ((180, 0), 1000, 2), ((-179.999, 50), 1000, 2), ((0, 90), 1000, 1), ((0, 0), 1e7, 1)],
)
def test_circle_has_one_box_or_two_at_the_antimeridian(
    centre: tuple[float, float], radius: float, boxes: int
) -> None:
    found = circle_boxes(*centre, radius)
    assert len(found) == boxes
    assert all(
        -180 <= west <= east <= 180 and -90 <= south <= north <= 90 for west, south, east, north in found
    )


def test_box_of_a_circle_that_reaches_a_pole_is_as_wide_as_the_world() -> None:
    assert circle_boxes(10, 89.99, 5000)[0][::2] == (-180, 180)
