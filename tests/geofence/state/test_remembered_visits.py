"""Visits that are remembered, against a dictionary."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.state.remembered_visits import RememberedVisits
from geofence.state.visit_records import VisitRecords, pairs_of

Row = tuple[int, int, int, int, bool]
Pair = tuple[int, int]
Known = tuple[int, int, bool]

pairs = st.tuples(st.integers(0, 9), st.integers(1, 4) | st.just(2**31 - 1))
known = st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans())
changes = st.lists(
    st.tuples(st.just("put"), st.dictionaries(pairs, known, max_size=20))
    | st.tuples(st.just("discard"), st.frozensets(pairs, max_size=9))
    | st.tuples(st.just("discard_geofences"), st.frozensets(st.integers(1, 4), max_size=2))
    | st.tuples(st.just("clear_device"), st.integers(0, 9)),
    max_size=12,
)


def records_of(rows: list[Row]) -> VisitRecords:
    columns = zip(*rows, strict=True) if rows else [()] * 5
    kinds = (np.int32, np.int32, np.int64, np.int64, np.bool_)
    return VisitRecords(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


def rows_of(records: VisitRecords) -> list[Row]:
    return list(zip(*(column.tolist() for column in records.columns()), strict=True))


def numbers_of(some: list[Pair]) -> NDArray[np.int64]:
    columns = np.array(some, np.int64).reshape(-1, 2)
    return pairs_of(columns[:, 0], columns[:, 1].astype(np.int32))


@given(changes=changes, recent=st.integers(0, 10), asked=st.lists(pairs, max_size=9))
@settings(max_examples=300, deadline=None)
def test_what_is_remembered_is_what_was_put_last_and_not_forgotten(
    changes: list[tuple[str, Any]], recent: int, asked: list[Pair]
) -> None:
    visits, reference = RememberedVisits(recent), dict[Pair, Known]()
    for change, what in changes:
        if change == "put":
            visits.put(records_of([(*pair, *each) for pair, each in what.items()]))
            reference |= what
        elif change == "discard":
            visits.discard(numbers_of(list(what)))
            reference = {pair: each for pair, each in reference.items() if pair not in what}
        elif change == "discard_geofences":
            visits.discard_geofences(np.array(sorted(what), np.int32))
            reference = {pair: each for pair, each in reference.items() if pair[1] not in what}
        else:
            visits.clear_device(what)
            reference = {pair: each for pair, each in reference.items() if pair[0] != what}
        assert len(visits) == len(reference)
        assert rows_of(visits.all) == [(*pair, *each) for pair, each in sorted(reference.items())]
        found, among = visits.of(numbers_of(asked))
        assert among.tolist() == [pair in reference for pair in asked]
        assert rows_of(found.take(among)) == [
            (*pair, *reference[pair]) for pair in asked if pair in reference
        ]


def test_a_record_put_again_takes_no_more_room_and_is_where_it_was() -> None:
    visits = RememberedVisits(recent=3)
    visits.put(records_of([(device, 1, 0, 0, False) for device in range(100)]))
    for time in range(50):
        visits.put(records_of([(7, 1, 0, time, True)]))
    assert rows_of(visits.of(numbers_of([(7, 1)]))[0]) == [(7, 1, 0, 49, True)]
    assert len(visits) == 100
