"""The first fix of a stretch that will do is found without looking at many behind it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.visits.stretches import first_not_before, first_that_hold

MOST = 12
stretches = st.lists(st.tuples(st.integers(0, MOST), st.integers(0, MOST)), min_size=1, max_size=4)


@given(stretches, st.sets(st.tuples(st.integers(0, 3), st.integers(0, 2 * MOST))))
def test_first_number_that_holds_is_found_and_no_more_are_asked_for_in_vain_than_there_were_before_it(
    stretches: list[tuple[int, int]], holding: set[tuple[int, int]]
) -> None:
    asked: list[tuple[int, int]] = []

    def holds(stretch: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.bool_]:
        pairs = list(zip(stretch.tolist(), number.tolist(), strict=True))
        asked.extend(pairs)
        return np.array([pair in holding for pair in pairs], np.bool_)

    found = first_that_hold(*np.array(stretches).T, holds)

    for stretch, (start, until) in enumerate(stretches):
        first = next((number for number in range(start, until) if (stretch, number) in holding), -1)
        of_stretch = [number for at, number in asked if at == stretch]
        assert found[stretch] == first
        assert of_stretch == list(range(start, until))[: len(of_stretch)]
        assert first < 0 or len(of_stretch) <= 2 * (first - start) + 1


@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=MOST).map(sorted),
    stretches,
    st.lists(st.integers(-10, 10), min_size=4, max_size=4),
)
def test_first_number_at_a_time_or_later_is_found_in_each_stretch_else_its_end(
    times: list[int], stretches: list[tuple[int, int]], least: list[int]
) -> None:
    start, until = np.minimum(np.array(stretches).T, len(times))
    found = first_not_before(np.array(times), start, until, np.array(least[: len(stretches)]))
    for number, begin, end, time in zip(found.tolist(), start.tolist(), until.tolist(), least, strict=False):
        later = [at for at in range(begin, end) if times[at] >= time]
        assert number == (later[0] if later else max(begin, end))
