"""One monotone function leads from positions to cells, and a cell's rectangle holds its positions."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.cells.grid import HAIR, LEVELS, Cells, cell_columns, cells_around, morton_code

COLUMNS = 1 << LEVELS
degrees_east = st.floats(-180, 180) | st.integers(0, COLUMNS).map(lambda at: at * (360 / COLUMNS) - 180)
degrees_north = st.floats(-90, 90) | st.integers(0, COLUMNS).map(lambda at: at * (180 / COLUMNS) - 90)


def cell_of(longitude: float, latitude: float) -> tuple[int, int]:
    column, row = cell_columns(np.array([longitude]), np.array([latitude]))
    return int(column[0]), int(row[0])


@given(longitude=degrees_east, latitude=degrees_north)
def test_a_step_of_an_ulp_never_leads_back(longitude: float, latitude: float) -> None:
    column, row = cell_of(longitude, latitude)
    further = min(math.nextafter(longitude, 181), 180), min(math.nextafter(latitude, 91), 90)
    next_column, next_row = cell_of(*further)
    assert column <= next_column <= column + 1
    assert row <= next_row <= row + 1


@given(longitude=degrees_east, latitude=degrees_north, level=st.integers(0, LEVELS))
def test_a_position_lies_in_the_rectangle_of_its_cell_widened_by_a_hair(
    longitude: float, latitude: float, level: int
) -> None:
    column, row = (at >> LEVELS - level for at in cell_of(longitude, latitude))
    cells = Cells(np.array([level]), np.array([column]), np.array([row]))
    (east,), (north,) = cells.centres()
    (width,), (height,) = cells.sizes()
    assert abs(longitude - east) <= width / 2 + HAIR / 2
    assert abs(latitude - north) <= height / 2 + HAIR / 2


@given(longitude=degrees_east, latitude=degrees_north, level=st.integers(0, LEVELS))
def test_codes_of_a_cell_are_those_of_the_positions_in_it(
    longitude: float, latitude: float, level: int
) -> None:
    column, row = cell_of(longitude, latitude)
    code = morton_code(np.array([column]), np.array([row]))[0]
    coarse = np.array([column]) >> LEVELS - level, np.array([row]) >> LEVELS - level
    (start,), (end,) = Cells(np.array([level]), *coarse).codes()
    assert start <= code < end


def test_longitude_180_and_latitude_90_belong_to_the_last_cell() -> None:
    assert cell_of(180.0, 90.0) == (COLUMNS - 1, COLUMNS - 1)
    assert cell_of(-180.0, -90.0) == (0, 0)


@given(data=st.data(), west=degrees_east, south=degrees_north)
@settings(max_examples=200)
def test_at_most_four_cells_hold_all_of_a_box(data: st.DataObject, west: float, south: float) -> None:
    east, north = data.draw(st.floats(west, 180)), data.draw(st.floats(south, 90))
    number, cells = cells_around(np.array([[west, south, east, north]]))
    assert 1 <= len(number) <= 4
    (width, height), (middle_x, middle_y) = cells.sizes(), cells.centres()
    assert np.all((middle_x - width / 2 <= east + 2 * HAIR) & (middle_y - height / 2 <= north + 2 * HAIR))
    start, end = cells.codes()
    longitude, latitude = data.draw(st.floats(west, east)), data.draw(st.floats(south, north))
    code = morton_code(*cell_columns(np.array([longitude]), np.array([latitude])))
    assert np.count_nonzero((start <= code) & (code < end)) == 1
