"""Crossings of paths are those found in fractions, or for circles by dense samples."""

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geofence.earth.ellipsoid import WGS84
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex, Limits
from geofence.paths.crossings import PathCrossings
from geofence.paths.paths import Paths
from tests.geofence.paths.exact_crossings import Path, expected_crossings
from tests.geofence.reference import contains
from tests.geofence.strategies import circles, geofences, polygon_geofences, positions_near, put_or_discard

pytestmark = pytest.mark.usefixtures("kernel")

MICROMETRE, MILLIMETRE, SHALLOW = 1e-6, 1e-3, 1e-5
SAMPLES = 200


def columns(paths: list[Path]) -> Paths:
    rows = np.array([(*path.start, *path.end) for path in paths], np.float64).reshape(-1, 4)
    return Paths(*np.ascontiguousarray(rows.T))


def found(index: GeofenceIndex, paths: list[Path]) -> list[tuple[int, int, float, bool]]:
    crossings = index.crossings(columns(paths))
    return rows(crossings)


def rows(crossings: PathCrossings) -> list[tuple[int, int, float, bool]]:
    columns = (crossings.path, crossings.geofence, crossings.share, crossings.entering)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def of_one(geofence: Geofence, path: Path) -> list[tuple[float, bool]]:
    return [row[2:] for row in found(GeofenceIndex({1: geofence}), [path])]


@st.composite
def paths_near(draw: st.DrawFn, near: list[Geofence]) -> Path:
    """Between any two positions, or short; some back to where they began, along a parallel or a meridian."""
    start, end = draw(positions_near(near)), draw(positions_near(near))
    kind = draw(st.sampled_from(["any", "any", "any", "short", "nowhere", "parallel", "meridian"]))
    if kind == "short":
        step = draw(st.sampled_from([1e-9, 1e-8, 1e-6, 1e-3]))
        north = min(90.0, max(-90.0, start[1] + draw(st.sampled_from([-1, 0, 1])) * step))
        end = (min(180.0, max(-180.0, start[0] + draw(st.sampled_from([-1, 0, 1])) * step)), north)
    if kind == "nowhere":
        end = start
    if kind == "parallel":
        end = (end[0], start[1])
    if kind == "meridian":
        end = (start[0], end[1])
    return Path(start, end)


@st.composite
def polygon_and_path(draw: st.DrawFn) -> tuple[Geofence, Path]:
    geofence = draw(polygon_geofences)
    return geofence, draw(paths_near([geofence]))


BOX = Geofence("box", shapely.box(8, 47, 9, 48), None, {})
HOLE = Geofence("hole", shapely.box(8, 47, 9, 48).difference(shapely.box(8.25, 47.25, 8.75, 47.75)), None, {})
FIJI = Geofence(
    "fiji", MultiPolygon([shapely.box(170, -20, 180, -10), shapely.box(-180, -20, -170, -10)]), None, {}
)
ARCTIC = Geofence("arctic", shapely.box(-180, 60, 180, 90), None, {})
SLANTING = Geofence("slanting", Polygon([(0, 0), (3, 1), (2.7, 4.1), (-0.3, 3.1)]), None, {})


@given(polygon_and_path())
@example((SLANTING, Path((0.0, 0.0), (3.0, 1.0))))
@example((SLANTING, Path((3.0, 1.0), (0.0, 0.0))))
@example((SLANTING, Path((-3.0, -1.0), (6.0, 2.0))))
@example((HOLE, Path((8.25, 47.25), (8.75, 47.75))))
@example((HOLE, Path((8.25, 47.25), (8.75, 47.25))))
@example((HOLE, Path((8.25, 47.75), (9.0, 48.0))))
@example((FIJI, Path((180.0, -15.0), (175.0, 0.0))))
@example((FIJI, Path((180.0, -30.0), (-180.0, 0.0))))
@example((ARCTIC, Path((180.0, 59.0), (-179.0, 90.0))))
@example((ARCTIC, Path((10.0, 90.0), (170.0, 90.0))))
@settings(max_examples=50, deadline=None)
def test_crossings_of_polygons_are_those_found_in_fractions(case: tuple[Geofence, Path]) -> None:
    geofence, path = case
    expected = expected_crossings(geofence, path)
    assume(not expected.doubtful)
    crossings = of_one(geofence, path)
    assert [entering for _, entering in crossings] == [entering for _, entering in expected.crossings]
    for (share, _), (exactly, _) in zip(crossings, expected.crossings, strict=True):
        assert path.metres(min(share, exactly), max(share, exactly)) <= 2 * MICROMETRE


@st.composite
def circle_and_path(draw: st.DrawFn) -> tuple[Geofence, Path]:
    geofence = draw(circles())
    path = draw(paths_near([geofence]))
    kind = draw(st.sampled_from(["any", "through the centre", "to the rim", "near"]))
    centre, radius = geofence.geometry, geofence.radius or 0.0
    if kind == "through the centre":
        path = Path(path.start, (centre.x, centre.y))
    if kind in {"to the rim", "near"}:
        azimuths = draw(st.floats(0, 360)), draw(st.floats(0, 360))
        far = [radius * draw(st.sampled_from([0.5, 1.0, 1.0, 1.001, 3.0])) for _ in azimuths]
        ends = [WGS84.fwd(centre.x, centre.y, *each)[:2] for each in zip(azimuths, far, strict=True)]
        path = Path(path.start, ends[0]) if kind == "to the rim" else Path(ends[0], ends[1])
    return geofence, path


def beyond(circle: Geofence, path: Path, shares: list[float]) -> list[float]:
    """Metres from the rim at shares of a path, negative inside."""
    centre = circle.geometry
    return [WGS84.inv(centre.x, centre.y, *path.at(share))[2] - (circle.radius or 0.0) for share in shares]


POLAR = Geofence("polar", Point(0, 90), WGS84.inv(0, 90, 0, 80)[2], {})


@given(circle_and_path())
@example((POLAR, Path((0.0, 80.0), (100.0, 80.0))))
@example((POLAR, Path((0.0, 80.0), (0.001, 80.0))))
@example((Geofence("seam", Point(179.9, 0), 50_000.0, {}), Path((179.0, 0.0), (-179.0, 0.0))))
@settings(max_examples=20, deadline=None)
def test_crossings_of_circles_are_on_the_rim_and_none_is_missed(case: tuple[Geofence, Path]) -> None:
    circle, path = case
    crossings = of_one(circle, path)
    entering = [entering for _, entering in crossings]
    inside = contains(circle, *path.start)
    assert entering == [inside == (number % 2 == 1) for number in range(len(entering))]
    assert contains(circle, *path.end) == inside ^ (len(entering) % 2 == 1)
    length = path.metres(0, 1)
    for share, _ in crossings:
        (gap,) = beyond(circle, path, [share])
        assert abs(gap) <= 2 * MICROMETRE or (share in {0.0, 1.0} and abs(gap) <= MILLIMETRE)
    shares = [0.0, *(share for share, _ in crossings), 1.0]
    for number, (start, end) in enumerate(pairwise(shares)):
        sign = -1 if inside ^ (number % 2 == 1) else 1
        between = np.linspace(start, end, SAMPLES).tolist()[1:-1]
        gaps = beyond(circle, path, between)
        deep = [share for share, gap in zip(between, gaps, strict=True) if sign * gap < -2 * SHALLOW]
        assert not deep or (deep[-1] - deep[0] + 2 * (end - start) / SAMPLES) * length <= MILLIMETRE


@st.composite
def fences_and_paths(draw: st.DrawFn) -> tuple[dict[int, Geofence], list[Path]]:
    fences = draw(st.lists(geofences, max_size=5))
    return dict(enumerate(fences, 1)), draw(st.lists(paths_near(fences), max_size=8))


def one_by_one(fences: dict[int, Geofence], paths: list[Path]) -> list[tuple[int, int, float, bool]]:
    return [
        (number, key, *crossing)
        for number, path in enumerate(paths)
        for key in sorted(fences)
        for crossing in of_one(fences[key], path)
    ]


@given(fences_and_paths())
@settings(max_examples=15, deadline=None)
def test_crossings_of_many_paths_are_those_of_each_with_each_geofence_alone(
    case: tuple[dict[int, Geofence], list[Path]],
) -> None:
    fences, paths = case
    assert found(GeofenceIndex(fences), paths) == one_by_one(fences, paths)


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_geofences_put_and_discarded_between_are_crossed_as_they_are_now(data: st.DataObject) -> None:
    fences = dict(enumerate(data.draw(st.lists(geofences, max_size=4)), 1))
    index = GeofenceIndex(fences, limits=Limits(loose=1, changes=4))
    for _ in range(data.draw(st.integers(1, 5))):
        put_or_discard(data, fences, index)
        paths = data.draw(st.lists(paths_near(list(fences.values())), max_size=4))
        assert found(index, paths) == one_by_one(fences, paths)


def test_outline_of_twenty_thousand_edges_is_crossed_where_its_edges_are() -> None:
    count = 20_000
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = np.where(np.arange(count) % 2 == 0, 4.0, 5.0)
    star = Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    index = GeofenceIndex({1: Geofence("star", star, None, {})})
    corners = shapely.get_coordinates(star)
    edges = shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1))
    random = np.random.default_rng(0)
    ends = random.uniform(-5.5, 5.5, (20, 4)).tolist()
    crossings = found(index, [Path((row[0], row[1]), (row[2], row[3])) for row in ends])
    for number, row in enumerate(ends):
        line = LineString([row[:2], row[2:]])
        met = shapely.intersection(line, edges[shapely.intersects(line, edges)])
        shares = sorted(
            float(np.hypot(*(point - row[:2])) / np.hypot(row[2] - row[0], row[3] - row[1]))
            for point in shapely.get_coordinates(met)
        )
        assert [share for path, _, share, _ in crossings if path == number] == pytest.approx(shares)


def test_outlines_that_are_no_more_are_forgotten_and_the_others_still_crossed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geofence.paths.outlines.MOST_FORGOTTEN", 10)
    index = GeofenceIndex({1: BOX})
    across = Path((7.5, 47.5), (9.5, 47.5))
    for key in range(2, 20):
        index.put(key, HOLE)
        assert len(found(index, [across])) == 6
        index.discard(key)
    assert found(index, [across]) == [(0, 1, 0.25, True), (0, 1, 0.75, False)]


def test_path_through_a_hole_leaves_and_comes_back() -> None:
    assert of_one(HOLE, Path((8.0, 47.5), (10.0, 47.5))) == [
        (0.125, False),
        (0.375, True),
        (0.5, False),
    ]


def test_path_over_the_antimeridian_within_a_geofence_on_both_sides_crosses_nothing() -> None:
    assert of_one(FIJI, Path((175.0, -15.0), (-175.0, -12.0))) == []


@pytest.mark.parametrize(("start", "end"), [(-90.0, 90.0), (90.0, -90.0)])
def test_path_of_exactly_180_degrees_does_not_go_over_the_antimeridian(start: float, end: float) -> None:
    assert of_one(FIJI, Path((start, -15.0), (end, -15.0))) == []
    assert (
        len(
            of_one(
                Geofence("box", shapely.box(-1, -16, 1, -14), None, {}), Path((start, -15.0), (end, -15.0))
            )
        )
        == 2
    )


def test_path_that_only_touches_a_corner_or_cuts_it_for_less_than_a_millimetre_crosses_nothing() -> None:
    assert of_one(BOX, Path((7.5, 47.5), (8.5, 46.5))) == []
    assert of_one(BOX, Path((7.5, 47.5 + 1e-9), (8.5, 46.5 + 1e-9))) == []
    assert len(of_one(BOX, Path((7.5, 47.5 + 1e-7), (8.5, 46.5 + 1e-7)))) == 2


def test_path_along_an_edge_is_inside_as_long_as_the_edge_is() -> None:
    assert of_one(BOX, Path((7.0, 48.0), (11.0, 48.0))) == [(0.25, True), (0.5, False)]


def test_path_that_ends_on_the_boundary_enters_at_its_end_and_one_that_begins_there_leaves_at_once() -> None:
    assert of_one(BOX, Path((7.0, 47.5), (8.0, 47.5))) == [(1.0, True)]
    assert of_one(BOX, Path((8.0, 47.5), (7.0, 47.5))) == [(0.0, False)]


def test_path_to_the_pole_enters_what_reaches_it_anywhere() -> None:
    wedge = Geofence("wedge", Polygon([(0, 80), (10, 80), (10, 90)]), None, {})
    assert of_one(wedge, Path((100.0, 85.0), (120.0, 90.0))) == [(1.0, True)]


def test_path_just_beside_a_slanting_edge_does_not_cross_it_and_one_on_it_does() -> None:
    edge = Path((-3.0, -1.0), (6.0, 2.0))
    beside = Path((-3.0, math.nextafter(-1.0, -2.0)), (6.0, math.nextafter(2.0, 0.0)))
    assert of_one(SLANTING, edge) == [(pytest.approx(1 / 3), True), (pytest.approx(2 / 3), False)]
    assert of_one(SLANTING, beside) == []


def test_no_paths_and_no_geofences_cross_nothing() -> None:
    assert found(GeofenceIndex({1: BOX, 2: POLAR}), []) == []
    assert found(GeofenceIndex({}), [Path((0.0, 0.0), (1.0, 1.0))]) == []
