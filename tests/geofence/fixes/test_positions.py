"""Positions as columns."""

import subprocess
import sys
from dataclasses import fields

import numpy as np

from geofence.fixes.positions import PositionBatch


def batch(*device_ids: str) -> PositionBatch:
    count = len(device_ids)
    return PositionBatch(
        device_id=np.array(device_ids, np.object_),
        sample_time=np.arange(count),
        longitude=np.zeros(count),
        latitude=np.ones(count),
        altitude=np.full(count, np.nan),
        accuracy=np.full(count, np.nan),
        properties=np.full(count, "", np.object_),
    )


def test_take_gives_the_positions_at_numbers_by_mask_or_by_slice() -> None:
    positions = batch("a", "b", "c")
    assert positions.take(np.array([2, 0])).device_id.tolist() == ["c", "a"]
    assert positions.take(np.array([False, True, False])).device_id.tolist() == ["b"]
    assert positions.take(slice(1, None)).sample_time.tolist() == [1, 2]


def test_no_positions_are_columns_of_the_same_kinds_as_some() -> None:
    none, some = PositionBatch.empty(), batch("a")
    assert len(none) == 0
    for column in fields(PositionBatch):
        of_none, of_some = getattr(none, column.name), getattr(some, column.name)
        assert (of_none.dtype, len(of_none)) == (of_some.dtype, 0)


def test_columns_import_without_geometry_libraries() -> None:
    program = "import sys, geofence.fixes.positions; print({'shapely', 'pyproj', 'rtree'} & set(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "set()"
