"""Positions as columns."""

import subprocess
import sys

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


def test_columns_import_without_geometry_libraries() -> None:
    program = "import sys, geofence.fixes.positions; print({'shapely', 'pyproj', 'rtree'} & set(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "set()"
