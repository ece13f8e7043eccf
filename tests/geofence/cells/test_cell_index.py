"""Cells find the pairs that the packed tree finds, above all at vertices and at corners of cells."""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon

from geofence.areas.area import Area, area_of
from geofence.areas.area_columns import AreaColumns
from geofence.cells.cover import Cover
from geofence.cells.grid import LEVELS
from geofence.cells.index import CellIndex
from geofence.cells.leaves import Leaves
from geofence.cells.polygon_cover import polygon_cover
from geofence.geofence import Geofence
from geofence.index.packed import PackedAreas

pytestmark = pytest.mark.usefixtures("kernel")

Coordinates = NDArray[np.float64]


def areas(geofences: Sequence[Geofence]) -> dict[int, Area]:
    return {key: area_of(geofence) for key, geofence in enumerate(geofences, 1)}


def circles(count: int, random: np.random.Generator) -> list[Geofence]:
    """From metres to a third of the world; some over a pole, some across the antimeridian."""
    longitude = random.choice([-180, 179.99, 0, 33.3], count) + random.uniform(-0.01, 0.01, count)
    latitude = random.choice([-90, 89.9, 0, 45.1, 60], count) + random.uniform(-0.01, 0.01, count)
    columns = longitude.clip(-180, 180), latitude.clip(-90, 90), 10 ** random.uniform(0, 6.9, count)
    return [Geofence("circle", Point(x, y), r, {}) for x, y, r in zip(*columns, strict=True)]


def stars(count: int, random: np.random.Generator) -> list[Geofence]:
    """Concave, from metres to a thousand kilometres, some with a star as hole."""
    found = []
    for _ in range(count):
        x, y, size = random.uniform(-170, 170), random.uniform(-80, 80), 10 ** random.uniform(-4, 0.9)
        angle = np.linspace(0, 2 * np.pi, 2 * random.integers(3, 40), endpoint=False)
        distance = size * random.uniform(0.3, 1, len(angle))
        ring = np.column_stack([x + distance * np.cos(angle), y + distance * np.sin(angle)])
        hole = np.column_stack([x + distance * np.cos(angle) / 2, y + distance * np.sin(angle) / 2])
        found.append(Geofence("star", Polygon(ring, [hole] if random.random() < 0.3 else []), None, {}))
    return found


def around(longitude: Coordinates, latitude: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Positions, and those an ulp beside them."""
    east = [longitude, np.nextafter(longitude, 181), np.nextafter(longitude, -181)]
    north = [latitude, np.nextafter(latitude, 91), np.nextafter(latitude, -91)]
    both = [(x, y) for x in east for y in north]
    return (
        np.concatenate([x for x, _ in both]).clip(-180, 180),
        np.concatenate([y for _, y in both]).clip(-90, 90),
    )


def adversarial(fences: Mapping[int, Area], random: np.random.Generator) -> tuple[Coordinates, Coordinates]:
    """Vertices, corners of cells of every size near geofences and in them, all of these +- an ulp; poles."""
    boxes = np.array([box for area in fences.values() for box in area.boxes])
    columns = AreaColumns(fences)
    vertices = shapely.get_coordinates(columns.polygons)
    level = random.integers(1, LEVELS + 1, (20, len(boxes)))
    x = boxes[:, 0] + random.uniform(-0.1, 1.1, level.shape) * (boxes[:, 2] - boxes[:, 0])
    y = boxes[:, 1] + random.uniform(-0.1, 1.1, level.shape) * (boxes[:, 3] - boxes[:, 1])
    width, height = 360 / 2.0**level, 180 / 2.0**level
    corner_x = (np.round((x + 180) / width) * width - 180).ravel()
    corner_y = (np.round((y + 90) / height) * height - 90).ravel()
    poles = np.array([-90.0, 90.0]).repeat(5), np.tile([-180.0, -90.0, 0.0, 45.0, 180.0], 2)
    longitude, latitude = around(
        np.concatenate([vertices[:, 0], corner_x, poles[1]]),
        np.concatenate([vertices[:, 1], corner_y, poles[0]]),
    )
    return np.concatenate([longitude, x.ravel().clip(-180, 180)]), np.concatenate(
        [latitude, y.ravel().clip(-90, 90)]
    )


def pairs(index: CellIndex | PackedAreas, longitude: Coordinates, latitude: Coordinates) -> NDArray[np.int64]:
    position, key = index.containing(longitude, latitude)
    return np.unique(position.astype(np.int64) << 32 | key)


@pytest.mark.parametrize("kind", [circles, stars])
@pytest.mark.parametrize("count", [1, 100])
def test_cells_find_what_the_packed_tree_finds_at_adversarial_positions(
    kind: Callable[[int, np.random.Generator], list[Geofence]], count: int
) -> None:
    random = np.random.default_rng(count)
    fences = areas(kind(count, random))
    longitude, latitude = adversarial(fences, random)
    cells = CellIndex.of(fences)
    assert cells is not None
    expected = pairs(PackedAreas(fences), longitude, latitude)
    assert len(expected) > count
    assert np.array_equal(pairs(cells, longitude, latitude), expected)


def test_more_positions_than_are_looked_up_together_are_all_answered() -> None:
    cells = CellIndex.of(areas([Geofence("box", shapely.box(0, 0, 1, 1), None, {})]))
    assert cells is not None
    longitude = np.tile([0.5, 2.0], 200_000)
    position, key = cells.containing(longitude, np.full(len(longitude), 0.5))
    assert np.array_equal(np.sort(position), np.arange(0, 400_000, 2))
    assert np.all(key == 1)


def test_a_polygon_has_no_more_crossed_cells_than_it_may_have() -> None:
    random = np.random.default_rng(5)
    polygons = np.array([star.geometry for star in stars(50, random)], np.object_)
    for most in (16, 256):
        cover = polygon_cover(polygons, np.full(len(polygons), most))
        ranges = np.bincount(cover.area[cover.crossed], minlength=len(polygons))
        assert ranges.max() <= most + 64  # the last quartering but one may leave a few more


def test_covering_many_long_edges_takes_memory_in_proportion_to_their_number() -> None:
    teeth = comb(20_000)
    edges = 40_000
    tracemalloc.start()
    polygon_cover(np.array([teeth], np.object_), np.array([edges]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500 * edges


def test_a_comb_whose_cells_are_left_coarse_is_found_as_by_the_packed_tree() -> None:
    fences = areas(
        [Geofence("comb", comb(2_000), None, {}), Geofence("box", shapely.box(0, 0, 9, 9), None, {})]
    )
    cells = CellIndex.of(fences)
    assert cells is not None
    longitude, latitude = adversarial(fences, np.random.default_rng(1))
    some = np.random.default_rng(2).integers(0, len(longitude), 5_000)
    expected = pairs(PackedAreas(fences), longitude[some], latitude[some])
    assert len(expected) > 1_000
    assert np.array_equal(pairs(cells, longitude[some], latitude[some]), expected)


def comb(teeth: int) -> Polygon:
    """Two edges from pole to pole for each tooth."""
    longitude = np.linspace(-170, 170, 2 * teeth)
    latitude = np.where(np.arange(2 * teeth) % 2, 85.0, -80.0)
    return Polygon([*np.column_stack([longitude, latitude]).tolist(), (175, -89), (-175, -89)])


def test_leaves_that_would_take_more_memory_than_allowed_are_not_made() -> None:
    cover = Cover(np.zeros(1, np.int32), np.array([0]), np.array([4]), np.array([True]))
    assert Leaves.of(cover, 10) is None
    assert Leaves.of(cover, 1_000) is not None


def test_geofences_that_overlap_too_much_for_their_vertices_have_no_cells() -> None:
    disc = Point(10, 50).buffer(1, quad_segs=2)
    shifted = [shapely.affinity.translate(disc, number / 1e4, number / 3e4) for number in range(500)]
    discs = areas([Geofence("disc", shape, None, {}) for shape in shifted])
    assert CellIndex.of(discs, least_bytes=0) is None
    assert CellIndex.of(discs) is not None
