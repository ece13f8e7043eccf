"""Changes that agree in device, geofence, kind and time are told apart by their ordinals."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geofence.fixes.changes import Changes

rows = st.tuples(
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 1),
    st.sampled_from([0.1, 0.2, 0.5, 1.0]),
    st.booleans(),
)


def changes(rows: list[tuple[int, int, int, float, bool]]) -> Changes:
    """By number, geofence, kind and share. Of each number the shares 0.1 and 0.2 are at one time."""
    number, geofence, kind, share, interpolated = (np.array(column) for column in zip(*rows, strict=True))
    time = 1000 * number + (10 * share + 0.5).astype(np.int64) // 3
    nowhere = np.zeros(len(rows))
    return Changes(
        number, geofence.astype(np.int32), kind.astype(np.int8), share, time, nowhere, nowhere, interpolated
    )


@given(st.lists(rows, min_size=1, max_size=20, unique_by=lambda row: row[:4]))
def test_ordinals_count_what_agreed_before_and_are_all_zero_where_nothing_is_between_fixes(
    rows: list[tuple[int, int, int, float, bool]],
) -> None:
    found = changes(rows).in_order()
    columns = (found.number, found.geofence, found.kind, found.time)
    seen = list(zip(*(column.tolist() for column in columns), strict=True))
    expected = [seen[:at].count(row) for at, row in enumerate(seen)]
    assert found.ordinals().tolist() == (expected if found.interpolated.any() else [0] * len(rows))


def test_second_crossing_of_one_millisecond_has_the_ordinal_one() -> None:
    twice = changes([(1, 1, 1, 0.1, True), (1, 1, 1, 0.2, True), (1, 2, 1, 0.2, True)])
    assert twice.ordinals().tolist() == [0, 1, 0]
