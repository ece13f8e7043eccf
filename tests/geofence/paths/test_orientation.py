"""Orientations have the sign that fractions have, and shares are those of fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geofence.paths.orientation import crossing_shares, orientations

Place = tuple[float, float]
grid = st.integers(-3, 3).map(float)
coordinates = grid | st.floats(-180, 180) | st.sampled_from([5e-324, 1e-300, -1e-160, 0.1, 0.3])
places = st.tuples(coordinates, coordinates)


@st.composite
def nearly_in_line(draw: st.DrawFn) -> tuple[Place, Place, Place]:
    """Three places, the last at a share of the way, and beside it by an ulp or not at all."""
    a, b = draw(places), draw(places)
    share = draw(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1 / 3]))
    x, y = (start + share * (end - start) for start, end in zip(a, b, strict=True))
    return a, b, (x, draw(st.sampled_from([y, math.nextafter(y, 1e9), math.nextafter(y, -1e9)])))


def exactly(a: Place, b: Place, c: Place) -> Fraction:
    (ax, ay), (bx, by), (cx, cy) = ((Fraction(x), Fraction(y)) for x, y in (a, b, c))
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


def columns(*points: Place) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.array([x]), np.array([y])) for x, y in points]


@given(nearly_in_line() | st.tuples(places, places, places))
@example(((0.0, 0.0), (1e-200, 1e-200), (1e-200, 2e-200)))
def test_orientation_has_the_sign_that_fractions_have(case: tuple[Place, Place, Place]) -> None:
    (found,) = orientations(*columns(*case)).tolist()
    value = exactly(*case)
    assert np.sign(found) == (value > 0) - (value < 0)


def test_places_a_rounding_beside_a_line_are_on_the_side_where_fractions_have_them() -> None:
    """Of these doubles alone have every third on the wrong side."""
    random = np.random.default_rng(7)
    ax, ay, bx, by = random.uniform(-180, 180, (4, 3000))
    share = random.uniform(0, 1, 3000)
    cx, cy = ax + share * (bx - ax), ay + share * (by - ay)
    found = orientations((ax, ay), (bx, by), (cx, cy))
    values = [
        exactly((a, b), (c, d), (e, f))
        for a, b, c, d, e, f in zip(*(each.tolist() for each in (ax, ay, bx, by, cx, cy)), strict=True)
    ]
    assert np.sign(found).tolist() == [(value > 0) - (value < 0) for value in values]


@given(places, places, places, places)
def test_share_of_a_crossing_is_that_of_fractions(a: Place, b: Place, v: Place, w: Place) -> None:
    at_a, at_b = exactly(v, w, a), exactly(v, w, b)
    assume(at_a != at_b and (at_a <= 0 <= at_b or at_b <= 0 <= at_a))
    (found,) = crossing_shares(*columns(a, b, v, w), np.array([1e-12])).tolist()
    assert found == pytest.approx(float(at_a / (at_a - at_b)), abs=1e-11)


def test_line_that_is_all_but_parallel_to_an_edge_crosses_it_where_fractions_say() -> None:
    a, b = (0.0, 0.0), (90.0, 30.000000000000004)
    v, w = (-90.0, -30.0), (90.0, 30.0)
    at_a, at_b = exactly(v, w, a), exactly(v, w, b)
    (found,) = crossing_shares(*columns(a, b, v, w), np.array([1e-12])).tolist()
    assert found == float(at_a / (at_a - at_b)) == 0.0
