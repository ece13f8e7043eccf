"""Areas hold exactly what fractions say they hold, at seams, poles, slivers and where parts touch."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from geofence.areas.area import area_of
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from tests.geofence.reference import contains, nearly_on_boundary
from tests.geofence.strategies import polygon_geofences, positions_near, triangles

Position = tuple[float, float]


def found(geofence: Geofence, positions: list[Position]) -> list[bool]:
    """By the index, which tests both sides of the antimeridian."""
    columns = np.array(positions, np.float64).reshape(-1, 2)
    inside = np.zeros(len(positions), np.bool_)
    inside[GeofenceIndex({1: geofence}).containing(columns[:, 0], columns[:, 1]).position] = True
    return inside.tolist()


def area(geometry: Polygon | MultiPolygon) -> Geofence:
    return Geofence("area", geometry, None, {})


@given(data=st.data(), geofence=polygon_geofences)
@settings(max_examples=200, deadline=None)
def test_polygon_holds_exactly_what_fractions_say(data: st.DataObject, geofence: Geofence) -> None:
    positions = data.draw(st.lists(positions_near([geofence]), min_size=1, max_size=10))
    assert found(geofence, positions) == [contains(geofence, *position) for position in positions]


PROTON = 1e-20
"""Its size, in degrees of the equator."""


@given(data=st.data(), triangle=triangles)
@settings(max_examples=100, deadline=None)
def test_whatever_digits_corners_have_only_who_is_nearer_to_an_edge_than_a_proton_may_be_misjudged(
    data: st.DataObject, triangle: Polygon
) -> None:
    geofence = area(triangle)
    positions = data.draw(st.lists(positions_near([geofence]), min_size=1, max_size=10))
    for position, inside in zip(positions, found(geofence, positions), strict=True):
        assert inside == contains(geofence, *position) or nearly_on_boundary(triangle, *position, PROTON)


@given(data=st.data(), geofence=polygon_geofences)
@settings(max_examples=60, deadline=None)
def test_area_by_itself_holds_what_the_index_finds_away_from_the_antimeridian(
    data: st.DataObject, geofence: Geofence
) -> None:
    near = positions_near([geofence]).filter(lambda position: abs(position[0]) < 180)
    positions = data.draw(st.lists(near, min_size=1, max_size=10))
    columns = np.array(positions)
    assert area_of(geofence).contains(columns[:, 0], columns[:, 1]).tolist() == found(geofence, positions)


CAP = shapely.box(-180, 60, 180, 90)


def test_cap_around_a_pole_holds_the_antimeridian_and_the_pole_at_every_longitude() -> None:
    inside = [
        (-180, 60),
        (180, 60),
        (-180, 75),
        (180, 75),
        (0, 60),
        (33, 89),
        (-180, 90),
        (180, 90),
        (7.5, 90),
    ]
    outside = [(-180, 59.999), (180, 59.999), (0, -90), (12, 0)]
    assert found(area(CAP), [*inside, *outside]) == [True] * len(inside) + [False] * len(outside)


@pytest.mark.parametrize("pole", [-90, 90])
def test_pole_is_one_point_so_an_area_that_reaches_it_anywhere_holds_it_at_every_longitude(pole: int) -> None:
    corner = area(Polygon([(10, pole * 0.9), (20, pole * 0.9), (15, pole)]))
    positions = [(15, pole), (-120, pole), (180, pole), (15, -pole), (-120, np.nextafter(pole, 0))]
    assert found(corner, positions) == [True, True, True, False, False]


def test_area_that_ends_below_the_pole_does_not_hold_it() -> None:
    assert found(area(shapely.box(-180, 60, 180, np.nextafter(90, 0))), [(0, 90), (180, 90)]) == [
        False,
        False,
    ]


def test_hole_whose_corner_is_the_pole_leaves_the_pole_inside() -> None:
    cap = Polygon(CAP.exterior, [[(0, 90), (10, 80), (-10, 80)]])
    assert found(area(cap), [(0, 90), (77, 90), (0, 85), (0, 80)]) == [True, True, False, True]


def test_neighbours_that_share_an_edge_both_hold_it() -> None:
    west, east = area(shapely.box(0, 0, 1, 1)), area(shapely.box(1, 0, 2, 1))
    positions = [(1, 0.3), (np.nextafter(1, 0), 0.3), (np.nextafter(1, 2), 0.3)]
    assert found(west, positions) == [True, True, False]
    assert found(east, positions) == [True, False, True]


def test_sliver_of_one_ulp_holds_its_two_columns_of_positions_and_no_other() -> None:
    east = float(np.nextafter(100, 101))
    sliver = area(shapely.box(100, 0, east, 10))
    positions = [(100, 5), (east, 5), (np.nextafter(100, 0), 5), (np.nextafter(east, 101), 5)]
    assert found(sliver, positions) == [True, True, False, False]
