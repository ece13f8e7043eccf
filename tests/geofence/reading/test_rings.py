"""What each fault of a ring says would repair it; and that rings are taken exactly if they may be."""

import json
import math
import re
from itertools import combinations

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geofence.faults import GeofenceFault, InvalidGeofences
from geofence.geofence import Geofence
from geofence.reading.geojson import feature_text, read_geofence
from tests.geofence.reading.squares import SQUARE, box
from tests.geofence.strategies import polygon_geofences

Ring = list[list[float]]


def read(coordinates: object, kind: str = "Polygon") -> Geofence:
    geometry = {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "id": "f", "properties": {}, "geometry": geometry}
    return read_geofence(json.dumps(feature).encode(), "f")


def only_fault(coordinates: object, kind: str = "Polygon") -> GeofenceFault:
    with pytest.raises(InvalidGeofences) as caught:
        read(coordinates, kind)
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("ring", "reason", "vertex", "repair"),
    [
        ([[10.1, 46.2], [11, 46], [11, 47], [10, 47]], "not_closed", 3, "add [10.1, 46.2] as last position"),
        ([*SQUARE[:-1], [0, 1e-9]], "not_closed", 4, "make [0, 0] the last position"),
        ([*SQUARE[:-1], [0, 1e-6]], "not_closed", 4, "make [0, 0] the last position"),
        ([*box(10, 20, 1)[:-1], [10, 20 + 1e-9]], "not_closed", 4, "make [10, 20] the last position"),
        (SQUARE[:3], "too_few", None, "add [0, 0] as last position"),
        (SQUARE[:2], "too_few", None, "for a place without an area send a Point"),
        ([[0, 0], [5, 5], [10, 10], [0, 0]], "too_few", 0, "for a place without an area send a Point"),
        ([[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]], "self_crossing", 0, "exchange vertices 1 and 2"),
        (
            [[0, 0], [10, 10], [10, 5], [10, 0], [0, 10], [0, 0]],
            "self_crossing",
            0,
            "take vertices 1 to 3 in the other order",
        ),
        ([*SQUARE[:3], [12, 12], *SQUARE[2:]], "self_crossing", 1, "remove vertex 3"),
        ([[0, 0], [-3, 0], *SQUARE], "self_crossing", 0, "remove vertex 1"),
        (
            [[0, 0], [10, 0], [10, 5], [19, 8], [10, 5], [10, 10], [0, 0]],
            "self_crossing",
            2,
            "remove vertex 3",
        ),
        (
            [[0, 0], [5, -1], [5, 1], [0, 0], [5, 2], [5, 4], [0, 0]],
            "self_crossing",
            0,
            "make each loop that begins and ends at [0, 0] a polygon",
        ),
        (
            [[0, 0], [5, 0], [5, 5], [0, 0], [-5, 5], [-5, 0], [0, 0]],
            "self_crossing",
            0,
            "make each loop that begins and ends at [0, 0] a polygon, or a hole, of its own",
        ),
        (
            [[46.2, 103.2], [46.3, 103.2], [46.3, 103.9], [46.2, 103.2]],
            "out_of_bounds",
            0,
            "swap longitude and latitude: [103.2, 46.2] would fit",
        ),
        ([[0, 0], [0.5, 90.1], [1, 0], [0, 0]], "out_of_bounds", 1, "end the ring at the pole"),
        ([[95, 0], [95, 90.1], [99, 0], [95, 0]], "out_of_bounds", 1, "end the ring at the pole"),
        (
            box(177, -19, 5),
            "out_of_bounds",
            1,
            "cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says: beyond it 182 is -178",
        ),
        (box(182, -19, 5), "out_of_bounds", 0, "subtract 360 from each longitude: -178 would fit"),
        (box(-187, -19, 5), "out_of_bounds", 0, "add 360 to each longitude: 173 would fit"),
        (box(182, 85, 5), "out_of_bounds", 0, "subtract 360 from each longitude: -178 would fit"),
        (box(535, 0, 5), "out_of_bounds", 0, "subtract 360 from each longitude: 175 would fit"),
        (box(2_600_000, 1_200_000, 5), "out_of_bounds", 0, "send degrees on WGS84, not metres"),
        ([[0, 0], [math.nan, 0], [9, 9], [0, 0]], "coordinates", 1, "each finite"),
        ([[0, 0], [1, 0], [9, -math.inf], [0, 0]], "coordinates", 2, "each finite"),
    ],
)
def test_fault_of_a_ring_ends_with_what_would_repair_it(
    ring: Ring, reason: str, vertex: int | None, repair: str
) -> None:
    fault = only_fault([ring])
    assert (fault.reason, fault.ring, fault.vertex) == (reason, "polygon 0 ring 0", vertex)
    assert repair in fault.detail.rpartition("expected")[2]
    assert any(f"{sign} {repair}" in fault.detail for sign in (";", ",", "; or"))
    assert ("the pole" in fault.detail) == ("the pole" in repair)


@pytest.mark.parametrize(
    ("polygons", "ring", "repair"),
    [
        ([[SQUARE, box(20, 20, 1)]], "polygon 0 ring 1", "make it a polygon of its own"),
        ([[SQUARE, box(2, 2, 4), box(3, 3, 1)]], "polygon 0 ring 2", "remove the inner one"),
        ([[SQUARE, box(2, 2, 2), box(3, 3, 2)]], "polygon 0 ring 2", "join the two holes into one"),
        ([[SQUARE, box(9, 9, 2)]], "polygon 0 ring 1", "let the shell go around what the hole cuts off"),
        (
            [[SQUARE, [[0, 5], [5, 10], [10, 5], [5, 5.5], [0, 5]]]],
            "polygon 0 ring 1",
            "make each piece a polygon of its own in a MultiPolygon",
        ),
        ([[SQUARE], [box(5, 5, 1)]], "polygon 1 ring 0", "make it a hole of the other"),
        ([[SQUARE], [box(10, 0, 5)]], "polygon 1 ring 0", "join the two polygons into one"),
    ],
)
def test_fault_between_rings_names_one_and_ends_with_what_would_repair_it(
    polygons: list[list[Ring]], ring: str, repair: str
) -> None:
    fault = only_fault(polygons, "MultiPolygon")
    assert fault.ring == ring
    assert fault.detail.endswith(repair) or f"; {repair}" in fault.detail or f", or {repair}" in fault.detail


def test_of_three_polygons_close_together_those_two_that_overlap_are_named() -> None:
    fault = only_fault([[SQUARE], [box(9.9, 9.9, 0.2)], [box(10.15, 10.15, 0.1)]], "MultiPolygon")
    assert fault.ring == "polygon 1 ring 0"
    assert "this ring and polygon 0 ring 0 cross" in fault.detail


def test_that_reading_of_a_feature_stopped_is_said_once() -> None:
    with pytest.raises(InvalidGeofences) as caught:
        read([[SQUARE[:4]] * 1500, [SQUARE]], "MultiPolygon")
    assert [fault.reason for fault in caught.value.faults] == ["not_closed"] * 1000 + ["faults"]


@pytest.mark.parametrize(
    ("kind", "coordinates", "repair"),
    [
        ("Polygon", SQUARE, "put the ring in one more pair of brackets"),
        ("Polygon", [[SQUARE]], 'set type to "MultiPolygon"'),
        ("MultiPolygon", [SQUARE], 'set type to "Polygon"'),
        ("MultiPolygon", SQUARE, "put the ring in two more pairs of brackets"),
    ],
)
def test_coordinates_in_too_few_or_too_many_brackets_are_one_fault(
    kind: str, coordinates: object, repair: str
) -> None:
    fault = only_fault(coordinates, kind)
    assert (fault.reason, fault.ring) == ("coordinates", None)
    assert fault.detail.endswith(repair)


FIJI = [[177, -19], [-178, -20], [-178, -16], [177, -16], [177, -19]]


def test_edge_of_more_than_half_way_around_is_refused_with_both_ways_out() -> None:
    fault = only_fault([FIJI])
    assert (fault.reason, fault.ring, fault.vertex) == ("antimeridian", "polygon 0 ring 0", 0)
    assert "this edge at [180, -19.6] and [-180, -19.6]" in fault.detail
    assert fault.detail.endswith("if the long way is meant, add [-0.5, -19.5] between the two")


def test_both_ways_out_of_an_edge_more_than_half_way_around_are_taken() -> None:
    east = [[177, -19], [180, -19.6], [180, -16], [177, -16], [177, -19]]
    west = [[-180, -19.6], [-178, -20], [-178, -16], [-180, -16], [-180, -19.6]]
    assert read([[east], [west]], "MultiPolygon").geometry.bounds == (-180, -20, 180, -16)
    long_way = [[177, -19], [-0.5, -19.5], [-178, -20], [-178, -16], [-0.5, -16], [177, -16], [177, -19]]
    assert read([long_way]).geometry.area == 355 * 3.5


@pytest.mark.parametrize("sign", [1, -1])
def test_ring_around_a_pole_without_the_pole_is_refused_with_the_way_past_it(sign: int) -> None:
    around = [[0, 66 * sign], [90, 66 * sign], [170, 66 * sign], [-90, 66 * sign], [0, 66 * sign]]
    fault = only_fault([around])
    assert (fault.reason, fault.vertex) == ("antimeridian", 2)
    way = re.search(r"put (.*) between the two; if", fault.detail)
    assert way is not None
    past_pole = json.loads(f"[{way[1]}]")
    assert past_pole == [[180, 66 * sign], [180, 90 * sign], [-180, 90 * sign], [-180, 66 * sign]]
    assert read([[*around[:3], *past_pole, *around[3:]]]).geometry.area == 360 * 24


def test_ring_that_closes_along_a_parallel_from_180_to_180_may_mean_the_pole_and_is_refused() -> None:
    assert only_fault([[[-180, 66], [0, 50], [180, 66], [-180, 66]]]).reason == "antimeridian"


@pytest.mark.parametrize(
    "ring",
    [
        [[-180, 60], [180, 60], [180, 90], [-180, 90], [-180, 60]],
        [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]],
        [[-180, 40], [0, 50], [180, 40], [180, 66], [180, 66], [-180, 66], [-180, 66], [-180, 40]],
        [[-150, 60], [0, 60], [150, 60], [150, 90], [-150, 90], [-150, 60]],
        [[-90, 0], [90, 0], [90, 10], [-90, 10], [-90, 0]],
    ],
    ids=["cap", "world", "band", "along the pole", "half way"],
)
def test_long_edges_that_leave_no_doubt_are_taken(ring: Ring) -> None:
    assert shapely.get_coordinates(read([ring]).geometry).tolist() == ring


@given(geofence=polygon_geofences)
@settings(max_examples=100, deadline=None)
def test_slivers_rings_around_poles_needless_vertices_and_parts_that_touch_read_back_the_same(
    geofence: Geofence,
) -> None:
    short_edges = Geofence("f", shapely.segmentize(geofence.geometry, 180), None, {})
    again = read_geofence(feature_text(short_edges).encode(), "f")
    assert again.geometry.equals_exact(short_edges.geometry, 0)


def may_be_a_ring(vertices: list[tuple[int, int]]) -> bool:
    """Whether edges between integer vertices meet only where one ends and the next begins."""
    edges = list(zip(vertices, vertices[1:] + vertices[:1], strict=True))
    for (number, (a, b)), (later, (c, d)) in combinations(enumerate(edges), 2):
        if (later - number) % len(edges) in (1, len(edges) - 1):
            before, shared, behind = (a, b, d) if b == c else (c, d, b)
            if turn(before, shared, behind) == 0 and forward(before, shared, behind) <= 0:
                return False
        elif meet(a, b, c, d):
            return False
    return True


Vertex = tuple[int, int]


def turn(a: Vertex, b: Vertex, c: Vertex) -> int:
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)


def forward(a: Vertex, b: Vertex, c: Vertex) -> int:
    return (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])


def meet(a: Vertex, b: Vertex, c: Vertex, d: Vertex) -> bool:
    boxes_apart = any(
        max(a[axis], b[axis]) < min(c[axis], d[axis]) or max(c[axis], d[axis]) < min(a[axis], b[axis])
        for axis in (0, 1)
    )
    return not boxes_apart and turn(a, b, c) * turn(a, b, d) <= 0 and turn(c, d, a) * turn(c, d, b) <= 0


@given(
    vertices=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=8),
    repeats=st.lists(st.integers(1, 2), min_size=8, max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_ring_is_taken_exactly_if_it_does_not_meet_itself_and_what_is_said_to_repair_it_does(
    vertices: list[tuple[int, int]], repeats: list[int]
) -> None:
    assume(all(one != other for one, other in zip(vertices, vertices[1:] + vertices[:1], strict=True)))
    ring = [list(vertex) for vertex, times in zip(vertices, repeats, strict=False) for _ in range(times)]
    try:
        read([[*ring, ring[0]]])
    except InvalidGeofences as error:
        assert not may_be_a_ring(vertices)
        (fault,) = error.faults
        repaired = repaired_as_said(ring, fault.detail)
        assert repaired is None or read([[*repaired, repaired[0]]])
    else:
        assert may_be_a_ring(vertices)


def repaired_as_said(ring: list[list[int]], detail: str) -> list[list[int]] | None:
    """The ring after the repair that a fault proposes, or None where it leaves that to its reader."""
    if removed := re.search(r"remove vertex (\d+)", detail):
        return ring[: int(removed[1])] + ring[int(removed[1]) + 1 :]
    if turned := re.search(r"vertices (\d+) (?:and|to) (\d+)", detail):
        first, last = int(turned[1]), int(turned[2])
        return ring[:first] + ring[first : last + 1][::-1] + ring[last + 1 :]
    return None
