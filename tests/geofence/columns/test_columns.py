"""Columns in parts and in runs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geofence.columns.chunks import chunks
from geofence.columns.ranges import ranges

numbers = st.integers(0, 9)


@given(st.lists(numbers, max_size=12), st.integers(1, 20))
def test_chunks_follow_one_another_and_each_is_as_long_as_its_weight_allows(
    weights: list[int], most: int
) -> None:
    at = 0
    for chunk in chunks(np.array(weights, np.int64), most):
        assert at == chunk.start < chunk.stop <= len(weights)
        assert sum(weights[chunk]) <= most or chunk.stop == at + 1
        assert chunk.stop == len(weights) or sum(weights[at : chunk.stop + 1]) > most
        at = chunk.stop
    assert at == len(weights)


@given(st.lists(st.tuples(numbers, numbers), max_size=8))
def test_ranges_count_on_from_each_first_number(pairs: list[tuple[int, int]]) -> None:
    first, count = np.array(pairs, np.int32).reshape(-1, 2).T
    found = ranges(first, count)
    assert found.dtype == np.int64
    assert found.tolist() == [start + number for start, many in pairs for number in range(many)]
