"""A law of `overfly db check`: whatever happened, a tracker's database passes."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.filtering.passing import TIME_BASED
from service.retention import Retention
from service.timestamps import now
from tests.service.checking.checked import checked
from tests.service.rewinding.test_any_history import ACTION, BEGINNING, QUICK, TRACKER, act, fresh_past

Action = tuple[Any, ...]
HOURS = st.floats(0.965, 1.0)
"""Of history to keep: what is flown is of two minutes, an hour ago."""


class History(NamedTuple):
    """What happens to a tracker: `actions`, then history goes but for `kept_hours`, then `later` ones.

    `window` is that of the reorder clock (s), `at_once` how many fixes a check has in memory.
    """

    actions: list[Action]
    window: float
    kept_hours: float | None
    at_once: int
    later: list[Action]


ANY_ACTION = ACTION | st.tuples(st.just("filter"), TRACKER, st.just(TIME_BASED))

HISTORIES = st.builds(
    History,
    st.lists(ANY_ACTION, min_size=5, max_size=25),
    st.sampled_from([0, 20]),
    st.none() | HOURS,
    st.sampled_from([1, 3, 1000]),
    st.lists(ANY_ACTION, max_size=5),
)


@settings(QUICK, max_examples=8)
@given(HISTORIES)
def test_whatever_happened_nothing_is_found(migrated: Path, history: History) -> None:
    _check(migrated, history)


@pytest.mark.soak
@settings(QUICK, max_examples=200)
@given(HISTORIES)
def test_whatever_happened_nothing_is_found_in_many_histories(migrated: Path, history: History) -> None:
    _check(migrated, history)


def _check(migrated: Path, history: History) -> None:
    with fresh_past(migrated, history.window) as past:
        for action in [*BEGINNING, *history.actions]:
            act(past, action)
        if history.kept_hours is not None:
            Retention(past.database, history.kept_hours / 24).expire(now())
        for action in history.later:
            act(past, action)
        findings, violations = checked(past.database, fixes_at_once=history.at_once)
        assert violations == []
        with past.database.read() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM position").scalar()
            devices = connection.exec_driver_sql("SELECT count(*) FROM device").scalar()
        assert findings.proved["positions"] == stored
        assert findings.proved["devices"] == devices
