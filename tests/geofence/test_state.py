"""What the evaluator remembers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.state import NEVER, InsideState


def loaded(pairs: list[tuple[int, int]], devices: int) -> InsideState:
    state = InsideState(devices)
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    state.load(columns[:, 0], columns[:, 1])
    return state


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 2**31 - 1)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_loaded_pairs_are_found_again_however_many_a_device_has(pairs: list[tuple[int, int]]) -> None:
    state = loaded(pairs, 6)
    for slot in range(6):
        assert state.inside(slot) == sorted({key for device, key in pairs if device == slot})


def test_load_adds_to_what_was_there() -> None:
    state = loaded([(0, 5)], 1)
    state.load(np.array([0, 0]), np.array([3, 5]))
    assert state.inside(0) == [3, 5]


def test_devices_that_are_new_were_never_evaluated_and_others_keep_what_they_have() -> None:
    state = loaded([(0, key) for key in range(1, 20)], 1)
    state.set_watermark(np.array([0]), np.array([7]))
    state.grow(1000)
    assert len(state) == 1000
    assert state.watermark[:2].tolist() == [7, NEVER]
    assert state.inside(0) == list(range(1, 20))
    assert state.inside(999) == []


def test_growing_to_less_changes_nothing() -> None:
    state = InsideState(5)
    state.grow(2)
    assert len(state) == 5


def test_cleared_device_is_as_if_never_evaluated() -> None:
    state = loaded([(0, key) for key in range(1, 20)] + [(1, 3)], 100)
    state.set_watermark(np.array([0, 1]), np.array([7, 8]))
    state.clear_device(0)
    assert (state.inside(0), int(state.watermark[0])) == ([], NEVER)
    assert (state.inside(1), int(state.watermark[1])) == ([3], 8)


def test_discarded_geofences_leave_every_device_also_one_that_is_in_many() -> None:
    state = loaded([(0, key) for key in range(1, 20)] + [(1, 3), (1, 4)], 100)
    state.discard_geofences(np.array([3, 18]))
    assert state.inside(0) == [key for key in range(1, 20) if key not in (3, 18)]
    assert state.inside(1) == [4]


def test_table_takes_sixteen_bytes_a_device_while_few_are_in_more_than_four_geofences() -> None:
    state = loaded([(0, key) for key in range(1, 20)], 1000)
    assert state._table.nbytes == 1000 * 16
