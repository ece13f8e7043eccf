"""Outlines find the edges that a line or a box may meet, whatever their number."""

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from geofence.areas.area import PolygonArea, area_of
from geofence.geofence import Geofence
from geofence.paths.outlines import Outlines
from geofence.paths.paths import FlatPaths, Paths


def star(corners: int) -> Polygon:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = np.random.default_rng(corners).uniform(3, 9, corners)
    return Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))


def area(geometry: Polygon) -> PolygonArea:
    found = area_of(Geofence("area", geometry, None, {}))
    assert isinstance(found, PolygonArea)
    return found


def lines(count: int) -> FlatPaths:
    return FlatPaths.of(Paths(*np.random.default_rng(1).uniform(-10, 10, (4, count))))


def segments(v: NDArray[np.float64], w: NDArray[np.float64]) -> NDArray[np.object_]:
    return shapely.linestrings(np.stack([v, w], axis=2).transpose(1, 2, 0))


@pytest.mark.parametrize("corners", [3, 15, 16, 17, 255, 256, 257, 5_000])
def test_edges_that_a_line_meets_are_found_and_few_others_all_of_which_are_near_it(corners: int) -> None:
    with_hole = star(corners).difference(shapely.box(-0.5, -0.5, 0.5, 0.5))
    outlines, asked = Outlines(), lines(40)
    numbers = outlines.numbers(np.array([7, 9]), {7: area(star(4)), 9: area(with_hole)})
    line, edge = outlines.near(asked, np.full(40, numbers[1]))
    found = set(zip(line.tolist(), edge.tolist(), strict=True))
    every = outlines.edges(int(numbers[1]))
    assert len(every) == shapely.get_num_coordinates(with_hole) - 2
    v, w = outlines.edge(every)
    edges = segments(np.array(v), np.array(w))
    of_lines = segments(np.array([asked.ax, asked.ay]), np.array([asked.bx, asked.by]))
    met, near = (
        {
            (number, int(every[at]))
            for number in range(40)
            for at in np.flatnonzero(shapely.intersects(line_or_box[number], edges_or_boxes)).tolist()
        }
        for line_or_box, edges_or_boxes in (
            (of_lines, edges),
            (shapely.envelope(of_lines), shapely.envelope(edges)),
        )
    )
    assert met <= found <= near
    assert len(found) < 4 * len(met)


def test_no_area_is_taken_in_twice() -> None:
    outlines, areas = Outlines(), {1: area(star(5)), 2: area(star(6))}
    first = outlines.numbers(np.array([1]), areas)
    assert outlines.numbers(np.array([1, 2]), areas).tolist() == [first[0], first[0] + 1]


def test_line_of_no_outline_finds_nothing() -> None:
    line, edge = Outlines().near(lines(0), np.empty(0, np.int64))
    assert len(line) == len(edge) == 0
