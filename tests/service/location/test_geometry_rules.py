"""What Amazon Location asks of a geometry, at each limit and one past it."""

import base64
import json
import random
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geofence.reading.geojson import feature_text, read_geofence
from service.location.geometry_rules import GeometryRefused, GivenGeofence, given_geofence
from tests.amazon import differs, same
from tests.service.location.geobufs import encoded_geobuf

SQUARE = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]
HOLE = [[2.0, 2.0], [2.0, 4.0], [4.0, 4.0], [4.0, 2.0], [2.0, 2.0]]


def made(**geometry: Any) -> GivenGeofence:
    return given_geofence("A", geometry, None)


def problem(**geometry: Any) -> str:
    with pytest.raises(GeometryRefused) as refused:
        made(**geometry)
    return str(refused.value)


def ring_of(vertices: int, west: float = 0.0, size: float = 1.0) -> list[list[float]]:
    """A closed ring of so many positions, the last and first counted both; counter-clockwise, convex."""
    side = vertices - 4
    bottom = [[west + size * at / (side + 1), 0.0] for at in range(side + 1)]
    return [*bottom, [west + size, 0.0], [west + size, size], [west, 0.0]]


def test_a_geometry_is_exactly_one_of_four() -> None:
    assert "expected exactly one of" in problem()
    assert "Polygon and Circle" in problem(Polygon=[SQUARE], Circle={"Center": [0.0, 0.0], "Radius": 1.0})
    assert made(Polygon=[SQUARE], Circle=None).geofence.geometry.equals(Polygon(SQUARE))


def test_polygons_and_circles_are_what_the_kernel_takes_them_to_be() -> None:
    assert made(Polygon=[SQUARE, HOLE]).geofence.geometry.equals(Polygon(SQUARE, [HOLE]))
    circle = made(Circle={"Center": [8.5, 47.25], "Radius": 100_000.0}).geofence
    assert (circle.geometry.x, circle.geometry.y, circle.radius) == (8.5, 47.25, 100_000.0)  # type: ignore[union-attr]
    assert made(Polygon=[SQUARE]).given is None


@same("PutGeofence", "BatchPutGeofence")
@pytest.mark.parametrize("radius", [0.0, -1.0, 100_000.001])
def test_a_radius_is_above_0_and_up_to_100_km(radius: float) -> None:
    assert "Geometry.Circle.Radius" in problem(Circle={"Center": [0.0, 0.0], "Radius": radius})


@pytest.mark.parametrize("centre", [[180.1, 0.0], [0.0, -90.1]])
def test_a_centre_is_on_the_earth(centre: list[float]) -> None:
    assert "Geometry.Circle.Center" in problem(Circle={"Center": centre, "Radius": 1.0})


@same("PutGeofence", "BatchPutGeofence")
@pytest.mark.parametrize(
    "rings, word",
    [
        ([SQUARE[:4]], "not_closed"),
        ([SQUARE[::-1]], "wound clockwise: expected counter-clockwise"),
        ([SQUARE, HOLE[::-1]], "ring 1: wound counter-clockwise: expected clockwise"),
        ([[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]], "crosses or touches itself"),
        ([SQUARE, [[20, 20], [20, 21], [21, 21], [20, 20]]], "outside its shell"),
        ([SQUARE, HOLE, [[2.5, 2.5], [2.5, 3], [3, 3], [2.5, 2.5]]], "within another hole"),
        ([SQUARE, [[0, 5], [2, 6], [2, 4], [0, 5]]], "ring 1: touches ring 0"),
        ([SQUARE, HOLE, [[4, 4], [4, 5], [5, 5], [4, 4]]], "ring 2: touches ring 1"),
        ([[[170, 0], [-170, 0], [-170, 10], [170, 10], [170, 0]]], "the long way around the Earth"),
        ([[[0, 0], [10, 0], [10, 91], [0, 0]]], "latitude 91"),
    ],
)
def test_rings_are_closed_and_wound_and_lie_to_each_other_as_they_must(rings: Any, word: str) -> None:
    words = problem(Polygon=rings)
    assert words.startswith("Geometry.Polygon: polygon 0")
    assert ("ring ends at" if word == "not_closed" else word) in words


def test_a_place_without_an_area_is_told_to_be_a_circle() -> None:
    assert "put a Circle" in problem(Polygon=[[[0, 0], [1, 1], [0, 0], [0, 0]]])


@same("PutGeofence", "BatchPutGeofence")
def test_polygons_have_up_to_1000_vertices_and_250_rings() -> None:
    assert made(Polygon=[ring_of(1_000)])
    assert "1,001 vertices" in problem(Polygon=[ring_of(1_001)])
    holes = [[[x, 1.0], [x, 1.01], [x + 0.01, 1.01], [x, 1.0]] for x in (at / 50 for at in range(1, 250))]
    wide = [[0.0, 0.0], [10.0, 0.0], [10.0, 2.0], [0.0, 0.0 + 2.0], [0.0, 0.0]]
    assert "1,001 vertices" in problem(Polygon=[wide, *holes])
    small = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [0.0, 0.0]]
    assert made(Polygon=[small, *holes])
    assert "251 rings" in problem(Polygon=[small, *holes, HOLE])


@same("PutGeofence", "BatchPutGeofence")
def test_multipolygons_have_up_to_250_polygons_and_1000_vertices_together() -> None:
    parts = [[ring_of(4, west=0.5 * at, size=0.25)] for at in range(251)]
    assert made(MultiPolygon=parts[:250])
    assert "251 polygons" in problem(MultiPolygon=parts)
    assert made(MultiPolygon=[[ring_of(500)], [ring_of(500, 2.0)]])
    assert "1,001 vertices" in problem(MultiPolygon=[[ring_of(500)], [ring_of(501, 2.0)]])


def test_the_polygons_of_a_multipolygon_are_each_named() -> None:
    words = problem(MultiPolygon=[[SQUARE], [[[20, 0], [20, 10], [30, 10], [20, 0]]], [SQUARE[:4]]])
    assert "polygon 1 ring 0: wound clockwise" in words
    assert "polygon 2 ring 0, vertex 3: ring ends at" in words


@same("PutGeofence", "BatchPutGeofence")
def test_polygons_of_a_multipolygon_may_overlap_or_share_a_border_and_are_kept_as_they_came() -> None:
    for other in (box(5, 5, 15, 15), box(10, 0, 20, 10), box(2, 2, 3, 3), box(0, 0, 10, 10)):
        ring = [list(each) for each in other.exterior.normalize().coords][::-1]
        value = [[SQUARE], [ring]]
        geofence, given = made(MultiPolygon=value)
        assert json.loads(given or "") == {"MultiPolygon": value}
        assert shapely.equals(geofence.geometry, Polygon(SQUARE).union(other))
        assert read_geofence(feature_text(geofence).encode(), "A")
    assert made(MultiPolygon=[[SQUARE], [ring_of(4, 20.0)]]).given is None


@same("PutGeofence", "BatchPutGeofence")
def test_an_edge_crosses_up_to_5_edges_of_other_polygons() -> None:
    def comb(teeth: int) -> list[Any]:
        bar = [[0.0, 0.0], [10.0, 0.0], [10.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
        needles = [
            [[[at, -1.0], [at + 0.2, -1.0], [at + 0.1, 0.5], [at, -1.0]]] for at in range(1, teeth + 1)
        ]
        return [[bar], *needles]

    assert made(MultiPolygon=comb(2)).given
    assert "crosses 6 edges of other polygons: expected up to 5" in problem(MultiPolygon=comb(3))


@same("PutGeofence", "BatchPutGeofence")
def test_a_geobuf_is_kept_as_its_bytes_and_has_its_own_limits() -> None:
    data = encoded_geobuf("Polygon", [[[(0, 0), (10, 0), (10, 10), (0, 10)]]], 0)
    geofence, given = made(Geobuf=data)
    assert geofence.geometry.equals(Polygon(SQUARE))
    assert json.loads(given or "") == {"Geobuf": base64.b64encode(data).decode()}

    step = 1_000
    ring = [(at * 3, 0) for at in range(99_996)] + [(300_000, 0), (300_000, step), (0, step)]
    assert made(Geobuf=encoded_geobuf("Polygon", [[ring]], 6))
    assert "100,001 vertices" in problem(Geobuf=encoded_geobuf("Polygon", [[[*ring, (0, step // 2)]]], 6))
    parts = [[[(4 * at, 0), (4 * at + 1, 0), (4 * at + 1, 1)]] for at in range(10_001)]
    assert made(Geobuf=encoded_geobuf("MultiPolygon", parts[:10_000], 6))
    assert "10,001 polygons" in problem(Geobuf=encoded_geobuf("MultiPolygon", parts, 6))
    assert "Geometry.Geobuf: no geometry" in problem(Geobuf=b"")
    assert "wound clockwise" in problem(Geobuf=encoded_geobuf("Polygon", [[ring[::-1]]], 6))


@differs(
    "Many polygons that lie over one another are refused once comparing them would take too long.",
    "PutGeofence",
    "BatchPutGeofence",
)
def test_a_geobuf_of_very_many_polygons_over_one_another_is_refused_before_they_are_compared() -> None:
    same = [[[(0, 0), (50_000, 0), (50_000, 50_000)]]] * 2_000
    assert "too long" in problem(Geobuf=encoded_geobuf("MultiPolygon", same, 6))


def test_geofence_properties_stand_apart_from_the_radius() -> None:
    circle = {"Circle": {"Center": [0.0, 0.0], "Radius": 5.0}}
    geofence = given_geofence("A", circle, {"radius": "far", "schedule": "daily"}).geofence
    assert geofence.properties == {
        "geofenceProperties": {"radius": "far", "schedule": "daily"},
        "radius": 5.0,
    }
    assert read_geofence(feature_text(geofence).encode(), "A").radius == 5.0


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.integers(2, 5))
def test_a_position_is_in_overlapping_polygons_where_it_is_in_one_of_them(seed: int, count: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret; rounding is not met by chance
    polygons = [
        Polygon([(chance.uniform(-5, 5), chance.uniform(-5, 5)) for _ in range(3)]) for _ in range(count)
    ]
    polygons = [shapely.geometry.polygon.orient(each) for each in polygons if each.area > 0.01]
    value = [[[list(at) for at in each.exterior.coords]] for each in polygons]
    try:
        geometry = made(MultiPolygon=value).geofence.geometry
    except GeometryRefused:  # none is left, or they cross too often
        return
    assert isinstance(geometry, Polygon | MultiPolygon)
    for _ in range(50):
        point = shapely.Point(chance.uniform(-5, 5), chance.uniform(-5, 5))
        assert shapely.intersects(geometry, point) == any(
            shapely.intersects(each, point) for each in polygons
        )
