"""Covers keep their promises to the width of a hair, where cells meet and edges pass between them."""

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from geofence.cells.circle_cover import farthest_corner
from geofence.cells.cover import Cover
from geofence.cells.grid import HAIR, cell_columns, morton_code
from geofence.cells.polygon_cover import polygon_cover
from geofence.earth.ellipsoid import WGS84


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135, 180, 200, 270, 315])
def test_all_cells_that_meet_within_a_hair_of_an_edge_are_crossed(degrees: int) -> None:
    corner = np.array([360 / 2**8 * 17, 180 / 2**8 * -23])
    angle = np.radians(degrees)
    along, aside = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    near = corner + aside * HAIR / 2
    triangle = Polygon([near - along, near + along, corner + 2 * aside])
    cover = polygon_cover(np.array([triangle], np.object_), np.array([4_096]))
    around = corner + HAIR / 10 * np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    code = morton_code(*cell_columns(*around.T))
    assert len(set(code.tolist())) == 4
    holding = (cover.start <= code[:, None]) & (code[:, None] < cover.end)
    assert np.all((holding & cover.crossed).any(axis=1))


def test_polygons_that_are_covered_are_not_prepared_for_another_thread_does_that() -> None:
    polygons = np.array([shapely.box(0, 0, 1, 1)], np.object_)
    polygon_cover(polygons, np.array([64]))
    assert not shapely.is_prepared(polygons).any()


def test_a_crossed_range_that_follows_a_whole_one_stays_another() -> None:
    crossed = np.array([False, False, True, True])
    cover = Cover(np.zeros(4, np.int32), np.array([0, 4, 8, 12]), np.array([4, 8, 12, 16]), crossed).merged()
    assert cover.start.tolist() == [0, 8]
    assert cover.end.tolist() == [8, 16]
    assert cover.crossed.tolist() == [False, True]


def test_no_corner_of_a_cell_is_farther_from_its_middle_than_is_said() -> None:
    random = np.random.default_rng(3)
    latitude = np.append(random.uniform(-89, 89, 2_000), [0, 89, -89])
    width, height = (10 ** random.uniform(-6, 0, (2, len(latitude)))).clip(0, 1)
    reach = farthest_corner(latitude, width, height)
    middle = geocentric(np.zeros(len(latitude)), latitude)
    for north in (latitude - height, latitude + height):
        corner = geocentric(width, north)
        assert np.all(np.linalg.norm(corner - middle, axis=0) <= reach)


def geocentric(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Metres, 3 x n."""
    x, y = np.radians(longitude), np.radians(latitude)
    across = WGS84.a / np.sqrt(1 - WGS84.es * np.sin(y) ** 2)
    return np.array(
        [
            across * np.cos(y) * np.cos(x),
            across * np.cos(y) * np.sin(x),
            across * (1 - WGS84.es) * np.sin(y),
        ]
    )
