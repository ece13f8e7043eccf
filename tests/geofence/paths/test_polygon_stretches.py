"""Paths from boundary to boundary, where neither end says on which side they are, and points beside edges."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from geofence.areas.area import area_of
from geofence.geofence import Geofence
from geofence.paths.outlines import Outlines
from geofence.paths.polygon_stretches import exactly_inside
from tests.geofence.paths.exact_crossings import Path, expected_crossings
from tests.geofence.paths.test_crossings import of_one
from tests.geofence.reference import side

places = st.tuples(st.integers(0, 6), st.integers(0, 6))


@st.composite
def jagged(draw: st.DrawFn) -> Polygon:
    """Corners on a small grid, around their middle, so that many a line runs through several of them."""
    corners = draw(st.lists(places, min_size=4, max_size=9, unique=True))
    middle = [sum(each) / len(corners) for each in zip(*corners, strict=True)]
    polygon = Polygon(sorted(corners, key=lambda at: math.atan2(at[1] - middle[1], at[0] - middle[0])))
    assume(polygon.is_valid and polygon.area > 0)
    return polygon


def on_boundary(polygon: Polygon) -> list[tuple[float, float]]:
    """Corners, and the middles and quarters of edges; doubles have all of them exactly."""
    corners = shapely.get_coordinates(polygon.exterior).tolist()
    return [
        (x + share * (to_x - x), y + share * (to_y - y))
        for (x, y), (to_x, to_y) in pairwise(corners)
        for share in (0, 0.25, 0.5)
    ]


@given(polygon=jagged(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_path_from_boundary_to_boundary_is_inside_where_fractions_say(
    polygon: Polygon, data: st.DataObject
) -> None:
    start, end = (data.draw(st.sampled_from(on_boundary(polygon))) for _ in range(2))
    geofence, path = Geofence("a", polygon, None, {}), Path(start, end)
    expected = expected_crossings(geofence, path)
    assume(not expected.doubtful)
    crossings = of_one(geofence, path)
    assert [entering for _, entering in crossings] == [entering for _, entering in expected.crossings]
    for (share, _), (exactly, _) in zip(crossings, expected.crossings, strict=True):
        assert share == pytest.approx(exactly, abs=1e-9)


COMB = Polygon([(0, 0), (6, 0), (6, 3), (5, 1), (4, 3), (3, 1), (2, 3), (1, 1), (0, 3)])


def test_comb_is_left_and_entered_at_each_tooth_between_two_corners() -> None:
    geofence = Geofence("comb", COMB, None, {})
    assert of_one(geofence, Path((0, 3), (6, 3))) == [(0.0, False), (1.0, True)]  # points of teeth between
    crossings = of_one(geofence, Path((0, 2), (6, 2)))
    assert [entering for _, entering in crossings] == [False, True] * 3
    assert [share for share, _ in crossings] == pytest.approx(np.arange(1, 12, 2) / 12)


NOTCHED = Polygon([(0, 0), (4, 0), (5, 1), (6, 0), (6, 3), (0, 3)])
TOOTHED = Polygon([(0, 0), (4, 0), (5, -1), (6, 0), (6, 3), (0, 3)])


def test_line_along_an_edge_for_the_most_part_is_judged_by_the_rest_of_it() -> None:
    notched, toothed = (Geofence("a", polygon, None, {}) for polygon in (NOTCHED, TOOTHED))
    east, west = Path((0, 0), (6, 0)), Path((6, 0), (0, 0))
    assert of_one(notched, east) == [(pytest.approx(4 / 6), False), (1.0, True)]
    assert of_one(notched, west) == [(0.0, False), (pytest.approx(2 / 6), True)]
    assert of_one(toothed, east) == of_one(toothed, west) == []


@given(polygon=jagged(), share=st.sampled_from([0.0, 0.25, 0.5]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_point_a_hair_beside_an_edge_or_a_corner_is_where_fractions_say(
    polygon: Polygon, share: float, data: st.DataObject
) -> None:
    corners = [(Fraction(x), Fraction(y)) for x, y in shapely.get_coordinates(polygon.exterior).tolist()]
    (x, y), (to_x, to_y) = data.draw(st.sampled_from(list(pairwise(corners))))
    off = st.sampled_from([-1, 0, 1]).map(lambda hairs: hairs * Fraction(1, 10**18))
    place = (
        x + Fraction(share) * (to_x - x) + data.draw(off),
        y + Fraction(share) * (to_y - y) + data.draw(off),
    )
    expected = side(corners, *place)
    assume(expected != 0)
    area = area_of(Geofence("a", polygon, None, {}))
    outlines = Outlines()
    (number,) = outlines.numbers(np.array([1], np.int32), {1: area}).tolist()
    assert exactly_inside(outlines, number, *place) == (expected > 0)
