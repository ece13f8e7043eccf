"""The compiled look-up finds what numpy and GEOS find, and survives columns that make no sense."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.areas.area import Area, area_of
from geofence.cells.compiled_cells import CompiledCells
from geofence.cells.crossed_cells import CrossedCells, references
from geofence.cells.grid import LEVELS, Cells
from geofence.cells.index import CellIndex
from geofence.cells.polygon_cover import polygon_cover
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.kernels import COMPILED, NUMPY, Library

assert COMPILED is not None, "tests/geofence/compiled/test_presence.py says what is missing"
assert COMPILED.library is not None
LIBRARY: Library = COMPILED.library

Coordinates = NDArray[np.float64]


def area(geometry: Polygon | MultiPolygon) -> Geofence:
    return Geofence("area", geometry, None, {})


def star(random: np.random.Generator) -> Polygon:
    """Concave, somewhere near 8 E 47 N, as large as a town or a country."""
    angle = np.linspace(0, 2 * np.pi, 2 * random.integers(3, 30), endpoint=False)
    distance = 10 ** random.uniform(-2, 0.5) * random.uniform(0.3, 1, len(angle))
    x, y = random.uniform(5, 11), random.uniform(44, 50)
    return Polygon(np.column_stack([x + distance * np.cos(angle), y + distance * np.sin(angle)]))


def fences(random: np.random.Generator) -> dict[int, Geofence]:
    """Stars, some of several parts, some with holes, some twice; boxes on lines of the grid; circles."""
    stars = [star(random) for _ in range(30)]
    boxes = [shapely.box(x, 44 + x / 8, x + 360 / 2**9, 45 + x / 8) for x in range(5, 11)]
    holed = [each.difference(each.buffer(-0.1)) for each in stars[:5]]
    several = [MultiPolygon([stars[6], shapely.affinity.translate(stars[6], 15, 1)])]
    shapes = [*stars, *boxes, *several, *stars[:3], *(each for each in holed if each.is_valid)]
    circles = [
        Geofence(
            "circle", Point(random.uniform(5, 11), random.uniform(44, 50)), 10 ** random.uniform(1, 6), {}
        )
        for _ in range(20)
    ]
    return dict(enumerate([*map(area, shapes), *circles], 1))


def pairs(index: GeofenceIndex, longitude: Coordinates, latitude: Coordinates) -> NDArray[np.int64]:
    found = index.containing(longitude, latitude)
    assert found.position.dtype == np.int64
    assert found.geofence.dtype == np.int32
    return np.stack([found.position, found.geofence])


def assert_both_agree(geofences: dict[int, Geofence], longitude: Coordinates, latitude: Coordinates) -> None:
    expected, found = (
        pairs(GeofenceIndex(geofences, kernel=each), longitude, latitude) for each in (NUMPY, COMPILED)
    )
    assert np.array_equal(found, expected)
    assert len(expected.T) > len(geofences)


def crossed_cells_of(polygon: Polygon) -> CrossedCells:
    found: list[CrossedCells] = []
    polygon_cover(np.array([polygon], np.object_), np.array([200]), crossed=found)
    return CrossedCells.joined(found)


def references_of(cells: CrossedCells) -> tuple[Coordinates, Coordinates]:
    """From codes of cells of polygon 0, bit by bit."""
    column, row = (sum((cells.cell >> 2 * bit + odd & 1) << bit for bit in range(LEVELS)) for odd in (0, 1))
    level = cells.level.astype(np.int64)
    return references(Cells(level, column >> LEVELS - level, row >> LEVELS - level))


@pytest.mark.parametrize("seed", range(5))
def test_both_kernels_find_the_same_at_random_at_vertices_and_along_edges(seed: int) -> None:
    random = np.random.default_rng(seed)
    geofences = fences(random)
    vertices = np.concatenate([shapely.get_coordinates(each.geometry) for each in geofences.values()])
    share = random.choice([0, 0.25, 0.5, random.random()], (len(vertices), 1))
    along = vertices + share * (np.roll(vertices, -1, axis=0) - vertices)
    places = np.concatenate(
        [vertices, along, np.nextafter(along, 90), random.uniform((5, 44), (11, 50), (20_000, 2))]
    )
    random.shuffle(places)
    assert_both_agree(geofences, *places.T.copy())


@pytest.mark.parametrize("seed", range(5))
def test_positions_in_line_with_a_vertex_and_the_reference_of_their_cell_are_left_to_geos(seed: int) -> None:
    shape = star(np.random.default_rng(seed))
    cells = crossed_cells_of(shape)
    x, y = references_of(cells)
    vertex = shapely.get_coordinates(shape)[cells.vertex]
    of = np.repeat(np.arange(len(x)), cells.edges)
    beyond = [vertex + share * (vertex - np.column_stack([x, y])[of]) for share in (-0.5, 0.5, 1, 2)]
    places = np.concatenate([*beyond, np.column_stack([x, y])])
    assert_both_agree({1: area(shape)}, *places.T.copy())


def test_the_reference_of_a_cell_lies_in_it_and_edges_that_touch_it_are_listed() -> None:
    shape = star(np.random.default_rng(7))
    cells = crossed_cells_of(shape)
    x, y = references_of(cells)
    assert np.array_equal(shapely.contains_xy(shape, x, y), cells.inside)
    size = np.ldexp(360.0, -cells.level.astype(int))
    west, south = x - 0.5178 * size, y - 0.4831 * size / 2
    edges = shapely.linestrings(
        np.stack([shapely.get_coordinates(shape)[:-1], shapely.get_coordinates(shape)[1:]], axis=1)
    )
    first = np.cumsum(cells.edges) - cells.edges
    for cell, square in enumerate(shapely.box(west, south, west + size, south + size / 2)):
        touching = np.flatnonzero(shapely.intersects(edges, square))
        assert set(touching) <= set(cells.vertex[first[cell] : first[cell] + cells.edges[cell]])


def test_geofence_with_more_edges_in_a_cell_than_are_worth_it_is_left_to_geos() -> None:
    longitude = np.linspace(0, 1e-5, 401)
    comb = Polygon([*zip(longitude, np.tile([1.0, 2.0], 201)[:401], strict=True), (1e-5, 0), (0, 0)])
    places = np.random.default_rng(1).uniform((0, 0), (1e-5, 2), (2_000, 2))
    assert_both_agree({1: area(comb)}, *places.T.copy())


def test_a_position_in_doubt_of_many_parts_of_one_geofence_is_in_it_once() -> None:
    parts = MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2), shapely.box(0, 2, 1, 3)])
    index = GeofenceIndex({1: area(parts), 2: area(shapely.box(0.5, 0.5, 1, 3))}, kernel=COMPILED)
    assert pairs(index, np.array([1.0, 1.0, 1.0]), np.array([1.0, 2.0, 5.0])).T.tolist() == [
        [0, 1],
        [0, 2],
        [1, 1],
        [1, 2],
    ]


def test_positions_in_every_second_place_of_memory_are_looked_up() -> None:
    index = GeofenceIndex({1: area(shapely.box(0, 0, 1, 1))}, kernel=COMPILED)
    places = np.array([[0.5, 0.5], [2.0, 2.0], [1.0, 1.0]])
    assert pairs(index, places[:, 0], places[:, 1]).T.tolist() == [[0, 1], [2, 1]]


@pytest.mark.parametrize(
    "longitude, latitude", [(np.nan, 0), (0, np.nan), (180.1, 0), (0, -90.1), (-np.inf, 0)]
)
def test_a_position_that_is_none_is_refused(longitude: float, latitude: float) -> None:
    index = GeofenceIndex({1: area(shapely.box(0, 0, 1, 1))}, kernel=COMPILED)
    with pytest.raises(ValueError, match="position 1: expected -180 to 180 degrees"):
        index.containing(np.array([0.0, longitude]), np.array([0.0, latitude]))


def columns_of(geofences: Sequence[Geofence]) -> list[NDArray[np.generic]]:
    """What the library is given, positions first."""
    areas: dict[int, Area] = {key: area_of(each) for key, each in enumerate(geofences, 1)}
    cells = CellIndex.of(areas, kernel=COMPILED)
    assert cells is not None
    assert isinstance(cells._leaves, CompiledCells)
    longitude, latitude = np.random.default_rng(3).uniform((4, 43), (12, 51), (500, 2)).T.copy()
    return [longitude, latitude, *cells._leaves._columns]


NAMED_INSTEAD = {
    "longitude": {"latitude", "position"},
    "latitude": {"latitude", "position"},
    "part": {"part"},
    "leaf_of": {"leaf_of", "part"},
    "leaf": {"leaf", "leaf_of", "area"},
    "area": {"area", "leaf"},
    "key": {"discarded"},
    "discarded": {"discarded"},
    "circle": {"circle", "area"},
    "cell": {"cell", "area"},
    "vertex": {"vertex", "cell"},
    "place": {"place", "vertex"},
}
"""By column, in the order of the library: those that a refusal may name, itself or what leads into it."""

EXTREMES = [-(2**63), -(2**31), -(2**20), -2, -1, 0, 1, 2, 63, 64, 2**20, 2**31 - 1, 2**40, 2**62, 2**63 - 1]


def spoilt(column: NDArray[np.generic], random: np.random.Generator) -> NDArray[np.generic]:
    """Cut off, longer, shuffled, or with numbers that lead anywhere."""
    column = column.copy()
    ways: list[Callable[[], NDArray[np.generic]]] = [
        lambda: column[: random.integers(0, len(column) + 1)],
        lambda: np.concatenate([column, column[:3]]),
        lambda: random.permutation(column),
        column[::-1].copy,
        lambda: with_extremes(column, random, 1),
        lambda: with_extremes(column, random, 100),
    ]
    return ways[random.integers(len(ways))]()


def with_extremes(column: NDArray[np.generic], random: np.random.Generator, most: int) -> NDArray[np.generic]:
    if len(column):
        at = random.integers(0, len(column), random.integers(1, most + 1))
        column[at] = random.choice(EXTREMES, len(at)).astype(column.dtype)
    return column


@pytest.mark.parametrize("seed", range(20))
def test_columns_that_make_no_sense_are_refused_or_answered_and_nothing_else_is_read(seed: int) -> None:
    random = np.random.default_rng(seed)
    whole = columns_of(list(fences(random).values()))
    answered = 0
    for _ in range(200):
        columns = list(whole)
        to_blame = set()
        for _ in range(random.integers(1, 3)):
            at = random.integers(len(columns))
            columns[at] = spoilt(columns[at], random)
            to_blame |= list(NAMED_INSTEAD.values())[at]
        try:
            found = LIBRARY.look_up(*columns)
        except ValueError as refusal:
            named = re.findall(r"(\w+)(?=[\w, ]*: (?:\d+ items: )?expected)", str(refusal))
            assert to_blame & set(named), f"{refusal}; spoilt: {to_blame}"
        else:
            answered += 1
            assert len(found[0]) == 2 * len(found[1])
    assert 0 < answered < 200


@pytest.mark.parametrize("at", range(12))
def test_columns_of_another_kind_are_refused(at: int) -> None:
    columns, name = columns_of([area(shapely.box(5, 44, 6, 45))]), list(NAMED_INSTEAD)[at]
    with pytest.raises(TypeError, match=f"^{name}: 1 dimensions of format f: expected one of"):
        LIBRARY.look_up(*columns[:at], columns[at].astype(np.float32), *columns[at + 1 :])
    with pytest.raises(TypeError, match=f"^{at} columns: expected 12"):
        LIBRARY.look_up(*columns[:at])


def test_cells_of_many_polygons_covered_chunk_by_chunk_are_those_of_all_at_once() -> None:
    """Of so many vertices that there are several chunks, each polygon still finds its own edges."""
    turn = np.linspace(0, 2 * np.pi, 1_200, endpoint=False)
    around = 1 + 0.1 * np.sin(40 * turn)
    outline = np.column_stack([around * np.cos(turn), around * np.sin(turn)])
    shapes = {key: Polygon(np.add(outline, (key % 20 * 2.2, key // 20 * 2.2))) for key in range(1, 200)}
    index = CellIndex.of({key: area_of(area(shape)) for key, shape in shapes.items()}, kernel=COMPILED)
    plain = CellIndex.of({key: area_of(area(shape)) for key, shape in shapes.items()}, kernel=NUMPY)
    assert index is not None and plain is not None
    random = np.random.default_rng(5)
    key = random.integers(1, 200, 20_000)
    angle, away = random.uniform(0, 2 * np.pi, 20_000), random.uniform(0.88, 1.12, 20_000)
    x, y = key % 20 * 2.2 + away * np.cos(angle), key // 20 * 2.2 + away * np.sin(angle)
    expected = {
        (position, number)
        for number, shape in shapes.items()
        for position in np.flatnonzero(shapely.intersects_xy(shape, x, y)).tolist()
    }

    for each in (index, plain):
        found = each.containing(x, y)
        assert set(zip(found[0].tolist(), found[1].tolist(), strict=True)) == expected
