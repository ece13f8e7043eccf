"""Wherever an index keeps a geofence, boxes that meet it find it, be it by an edge or a corner alone."""

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geofence.areas.area import Area, area_of
from geofence.cells.index import CellIndex
from geofence.geofence import Geofence
from geofence.index.loose import LooseAreas
from geofence.index.packed import PackedAreas

Part = CellIndex | LooseAreas | PackedAreas
Box = tuple[int, int, int, int]


def loose(areas: dict[int, Area]) -> LooseAreas:
    found = LooseAreas()
    for key, area in areas.items():
        found.put(key, area)
    return found


def cells(areas: dict[int, Area]) -> CellIndex:
    found = CellIndex.of(areas)
    assert found is not None
    return found


@st.composite
def boxes(draw: st.DrawFn, least: int) -> Box:
    west, south = draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    return west, south, west + draw(st.integers(least, 3)), south + draw(st.integers(least, 3))


@pytest.mark.parametrize("part_of", [loose, cells, PackedAreas])
@given(st.lists(boxes(least=1), min_size=1, max_size=4), st.lists(boxes(least=0), min_size=1, max_size=4))
def test_boxes_find_the_areas_whose_boxes_they_meet_and_no_others(
    part_of: type[Part], areas: Sequence[Box], asked: Sequence[Box]
) -> None:
    shapes = {key: shapely.box(*box) for key, box in enumerate(areas, 5)}
    part = part_of({key: area_of(Geofence("box", shape, None, {})) for key, shape in shapes.items()})
    number, key = part.near(np.array(asked, np.float64))
    assert key.dtype == np.int32
    assert set(zip(number.tolist(), key.tolist(), strict=True)) == {
        (number, key)
        for number, box in enumerate(asked)
        for key, shape in shapes.items()
        if shapely.intersects(shape, shapely.box(*box))
    }
