"""The index finds what brute force finds, whatever was put and discarded before."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.geofence import Geofence
from geofence.index.geofence_index import LIMITS, GeofenceIndex
from tests.geofence.reference import containment_pairs
from tests.geofence.strategies import geofences, positions_near, put_or_discard

pytestmark = pytest.mark.usefixtures("kernel")

Position = tuple[float, float]


def pairs(index: GeofenceIndex, positions: list[Position]) -> list[tuple[int, int]]:
    columns = np.array(positions, np.float64).reshape(-1, 2)
    found = index.containing(columns[:, 0], columns[:, 1])
    assert found.position.dtype == np.int64
    assert found.geofence.dtype == np.int32
    return list(zip(found.position.tolist(), found.geofence.tolist(), strict=True))


def area(geometry: Polygon | MultiPolygon) -> Geofence:
    return Geofence("area", geometry, None, {})


def circle(longitude: float, latitude: float, radius: float) -> Geofence:
    return Geofence("circle", Point(longitude, latitude), radius, {"radius": radius})


@given(data=st.data(), fences=st.lists(geofences, max_size=6))
@settings(max_examples=150, deadline=None)
def test_index_equals_brute_force(data: st.DataObject, fences: list[Geofence]) -> None:
    positions = data.draw(st.lists(positions_near(fences), max_size=20))
    by_key = dict(enumerate(fences, 1))
    assert pairs(GeofenceIndex(by_key), positions) == containment_pairs(by_key, positions)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_index_equals_brute_force_after_puts_and_discards_between_batches(data: st.DataObject) -> None:
    fences = dict(enumerate(data.draw(st.lists(geofences, max_size=4)), 1))
    index = GeofenceIndex(fences)
    for _ in range(data.draw(st.integers(1, 4))):
        for _ in range(data.draw(st.integers(0, 4))):
            put_or_discard(data, fences, index)
        positions = data.draw(st.lists(positions_near(list(fences.values())), max_size=10))
        assert pairs(index, positions) == containment_pairs(fences, positions)
        assert len(index) == len(fences)
        assert [key in index for key in range(1, 7)] == [key in fences for key in range(1, 7)]


def test_index_that_changed_more_than_is_kept_beside_still_equals_brute_force() -> None:
    squares = {key: area(shapely.box(key, 0, key + 3, 3)) for key in range(1, 3 * LIMITS.changes // 2)}
    index = GeofenceIndex({key: squares[key] for key in range(1, 10)})
    positions = [(float(longitude), 1.0) for longitude in range(0, 110, 5)]
    for key in range(10, 3 * LIMITS.changes // 2):
        index.put(key, squares[key])
        if key == LIMITS.changes:
            assert pairs(index, positions) == containment_pairs(dict(list(squares.items())[:key]), positions)
    assert pairs(index, positions) == containment_pairs(squares, positions)
    for key in range(1, LIMITS.changes + 10):
        index.discard(key)
        del squares[key]
    assert pairs(index, positions) == containment_pairs(squares, positions)


def test_geofence_that_is_edited_is_found_at_its_new_place_only() -> None:
    index = GeofenceIndex({1: area(shapely.box(0, 0, 1, 1))})
    index.put(1, area(shapely.box(5, 5, 6, 6)))
    assert pairs(index, [(0.5, 0.5), (5.5, 5.5)]) == [(1, 1)]
    index.put(1, area(shapely.box(7, 7, 8, 8)))
    assert pairs(index, [(0.5, 0.5), (5.5, 5.5), (7.5, 7.5)]) == [(2, 1)]


def test_geofence_that_is_put_again_after_its_discard_is_found() -> None:
    index = GeofenceIndex({1: area(shapely.box(0, 0, 1, 1))})
    index.discard(1)
    assert pairs(index, [(0.5, 0.5)]) == []
    index.put(1, area(shapely.box(0, 0, 1, 1)))
    assert pairs(index, [(0.5, 0.5)]) == [(0, 1)]


def test_index_of_nothing_finds_nothing() -> None:
    index = GeofenceIndex({})
    assert pairs(index, [(0.0, 0.0)]) == []
    assert pairs(index, []) == []
    assert len(index) == 0


def test_boundary_and_vertices_are_inside_and_those_of_a_hole_too() -> None:
    shell, hole = shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2)
    index = GeofenceIndex({1: area(shell.difference(hole))})
    positions = [(0.0, 0.0), (4.0, 2.0), (1.0, 1.0), (1.5, 1.0), (1.5, 1.5), (4.0000000001, 2.0)]
    assert [position for position, _ in pairs(index, positions)] == [0, 1, 2, 3]


def test_fix_at_the_antimeridian_is_in_areas_on_both_sides_and_once_in_one_that_spans_it() -> None:
    west, east = shapely.box(-180, 0, -170, 10), shapely.box(170, 0, 180, 10)
    index = GeofenceIndex({1: area(west), 2: area(east), 3: area(MultiPolygon([west, east]))})
    assert pairs(index, [(180.0, 5.0), (-180.0, 5.0)]) == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]


def test_circle_across_the_antimeridian_holds_fixes_on_both_sides() -> None:
    index = GeofenceIndex({1: circle(179.99, 0, 8000)})
    assert pairs(index, [(179.95, 0.0), (-179.97, 0.0), (180.0, 0.0), (-180.0, 0.0), (-179.9, 0.0)]) == [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 1),
    ]


def test_circle_around_a_pole_holds_fixes_at_every_longitude() -> None:
    index = GeofenceIndex({1: circle(10, 89.99, 5000), 2: circle(0, -90, 1000)})
    assert pairs(index, [(-170.0, 89.99), (100.0, 90.0), (100.0, 89.9), (33.0, -89.995)]) == [
        (0, 1),
        (1, 1),
        (3, 2),
    ]


def test_polygon_whose_parts_touch_in_a_point_holds_it_once() -> None:
    touching = MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)])
    assert pairs(GeofenceIndex({1: area(touching)}), [(1.0, 1.0)]) == [(0, 1)]
