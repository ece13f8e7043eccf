"""What the evaluator remembers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.fixes.last_fixes import LastFixes
from geofence.state.inside_state import NEVER, InsideState
from geofence.state.state_columns import StateColumns
from geofence.state.visit_records import NO_VISITS, VisitRecords

VISITS_ELSEWHERE = "visits are of devices and geofences that are not inside, or do not ascend"
LAST_FIXES_MISSING = "columns of last fixes: expected 2 values in each, or none"
KEPT = StateColumns(
    np.array([5, 6]),
    np.array([1, 2], np.int32),
    np.array([3, 1, 2], np.int32),
    VisitRecords(
        np.array([0, 1], np.int32),
        np.array([3, 2], np.int32),
        np.array([4, 4]),
        np.array([NEVER, 5]),
        np.array([True, False]),
    ),
    LastFixes(*(np.arange(2.0) + start for start in range(4))),
)


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


def test_cleared_device_has_no_last_fix_and_others_keep_theirs() -> None:
    state = InsideState(3, remembering_fixes=True)
    state.set_last_fixes(np.arange(3), LastFixes(*(np.arange(3.0) for _ in range(4))))
    state.clear_device(1)
    for column in state.last_fixes(np.arange(3)).columns():
        assert np.array_equal(column, [0.0, np.nan, 2.0], equal_nan=True)


def test_discarded_geofences_leave_every_device_also_one_that_is_in_many() -> None:
    state = loaded([(0, key) for key in range(1, 20)] + [(1, 3), (1, 4)], 100)
    state.discard_geofences(np.array([3, 18]))
    assert state.inside(0) == [key for key in range(1, 20) if key not in (3, 18)]
    assert state.inside(1) == [4]


def test_table_takes_sixteen_bytes_a_device_while_few_are_in_more_than_four_geofences() -> None:
    state = loaded([(0, key) for key in range(1, 20)], 1000)
    assert state._table.nbytes == 1000 * 16


PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), max_size=80)


@given(pairs=PAIRS, times=st.lists(st.integers(-50, 50), max_size=41), crowd=st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_state_taken_up_from_its_columns_is_the_same(
    pairs: list[tuple[int, int]], times: list[int], crowd: int
) -> None:
    state = loaded(pairs + [(0, key) for key in range(1, crowd + 1)], 41)
    state.set_watermark(np.arange(len(times)), np.array(times, np.int64))

    kept = state.snapshot()
    again = InsideState.of(kept)

    assert kept.problem(30) is None
    assert again.watermark.tolist() == state.watermark.tolist()
    assert [again.inside(slot) for slot in range(41)] == [state.inside(slot) for slot in range(41)]
    assert_same(again.snapshot(), kept)


@given(first=PAIRS, second=PAIRS)
@settings(max_examples=50, deadline=None)
def test_equal_states_have_equal_columns_whatever_led_to_them(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    state = loaded(first, 41)
    state.load(np.array([slot for slot, _ in second]), np.array([key for _, key in second], np.int32))
    assert_same(state.snapshot(), loaded(second + first[::-1], 41).snapshot())


def test_columns_do_not_change_with_the_state_that_they_are_of() -> None:
    state = loaded([(0, 3)], 2)
    kept = state.snapshot()
    state.set_watermark(np.array([0]), np.array([7]))
    state.load(np.array([1]), np.array([4]))
    assert (kept.watermark.tolist(), kept.inside_geofence.tolist()) == ([NEVER, NEVER], [3])


def test_state_taken_up_can_be_carried_on_and_its_columns_stay() -> None:
    kept = loaded([(0, key) for key in range(1, 20)], 2).snapshot()
    state = InsideState.of(kept)
    state.discard_geofences(np.array([5]))
    state.grow(5)
    state.set_watermark(np.array([4]), np.array([7]))
    assert kept.inside_count.tolist() == [19, 0]
    assert kept.watermark.tolist() == [NEVER, NEVER]


def test_columns_of_geofences_with_other_keys_are_those_of_a_state_loaded_with_these() -> None:
    kept = loaded([(0, 1), (0, 3), (1, 2)], 2).snapshot()
    found = kept.renumbered(np.array([0, 30, 20, 10], np.int32))
    assert_same(found, loaded([(0, 30), (0, 10), (1, 20)], 2).snapshot())


def test_columns_are_the_same_after_they_were_stored_by_name() -> None:
    kept = KEPT.of_named(dict(KEPT.named()))
    assert len({id(column) for column in kept.named().values()}) == len(KEPT.named()) == 12
    assert all(column is KEPT.named()[name] for name, column in kept.named().items())


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (([1.0], [0], []), "watermark holds float64 in 1 dimensions: expected int64 in one"),
        (([[1]], [0], []), "watermark holds int64 in 2 dimensions: expected int64 in one"),
        (([1], [0, 0], []), "inside_count has 2 values: expected 1, one a device"),
        (([1], [2], [1]), "inside_count does not add up to the 1 of inside_geofence"),
        (([1, 1], [2, -1], [1]), "inside_count does not add up to the 1 of inside_geofence"),
        (([1], [1], [0]), "inside_geofence has a key that is none: expected 1 to 3"),
        (([1], [1], [4]), "inside_geofence has a key that is none: expected 1 to 3"),
        (([1], [2], [2, 2]), "inside_geofence has keys of a device that do not ascend"),
    ],
)
def test_columns_that_are_no_state_are_told_why(columns: tuple[list[int], ...], problem: str) -> None:
    watermark, count, geofence = columns
    kept = StateColumns(
        np.array(watermark),
        np.array(count, np.int32),
        np.array(geofence, np.int32),
        NO_VISITS,
        LastFixes.none(0),
    )
    assert kept.problem(3) == problem


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({}, None),
        ({name: np.empty(0) for name in KEPT.named() if name.startswith("last_")}, None),
        ({"visit_entered": np.array([4])}, "columns of visits have different lengths"),
        ({"visit_geofence": np.array([3, 3], np.int32)}, VISITS_ELSEWHERE),
        (
            {"visit_device": np.array([1, 0], np.int32), "visit_geofence": KEPT.visits.geofence[::-1]},
            VISITS_ELSEWHERE,
        ),
        (
            {"visit_device": np.array([1, 1], np.int32), "visit_geofence": np.array([2, 2], np.int32)},
            VISITS_ELSEWHERE,
        ),
        ({"last_accuracy": np.empty(0)}, LAST_FIXES_MISSING),
        ({name: np.zeros(1) for name in KEPT.named() if name.startswith("last_")}, LAST_FIXES_MISSING),
    ],
)
def test_visits_and_last_fixes_that_do_not_fit_the_rest_are_told_of(
    named: dict[str, NDArray[np.generic]], problem: str | None
) -> None:
    assert StateColumns.of_named({**KEPT.named(), **named}).problem(3) == problem


def assert_same(found: StateColumns, expected: StateColumns) -> None:
    for name, column in expected.named().items():
        assert found.named()[name].tolist() == column.tolist(), name
