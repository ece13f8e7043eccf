"""A law of `overfly db check`: whatever happened, a tracker's database passes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.retention import Retention
from service.timestamps import now
from tests.service.rewinding.test_any_history import ACTION, BEGINNING, QUICK, act, fresh_past

Action = tuple[Any, ...]
HOURS = st.floats(0.965, 1.0)
"""Of history to keep: what is flown is of two minutes, an hour ago."""


HISTORY = (
    st.lists(ACTION, min_size=5, max_size=25),
    st.sampled_from([0, 20]),
    st.none() | HOURS,
    st.sampled_from([1, 3, 1000]),
    st.lists(ACTION, max_size=5),
)


@settings(QUICK, max_examples=8)
@given(*HISTORY)
def test_whatever_happened_nothing_is_found(
    migrated: Path,
    actions: list[Action],
    window: float,
    kept_hours: float | None,
    at_once: int,
    later: list[Action],
) -> None:
    _check(migrated, actions, window, kept_hours, at_once, later)


@pytest.mark.soak
@settings(QUICK, max_examples=200)
@given(*HISTORY)
def test_whatever_happened_nothing_is_found_in_many_histories(
    migrated: Path,
    actions: list[Action],
    window: float,
    kept_hours: float | None,
    at_once: int,
    later: list[Action],
) -> None:
    _check(migrated, actions, window, kept_hours, at_once, later)


def _check(
    migrated: Path,
    actions: list[Action],
    window: float,
    kept_hours: float | None,
    at_once: int,
    later: list[Action],
) -> None:
    with fresh_past(migrated, window) as past:
        for action in [*BEGINNING, *actions]:
            act(past, action)
        if kept_hours is not None:
            Retention(past.database, kept_hours / 24).expire(now())
        for action in later:
            act(past, action)
        violations: list[Violation] = []
        findings = Findings(violations.append)
        check_database(past.database, findings, fixes_at_once=at_once)
        assert violations == []
        with past.database.read() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM position").scalar()
            devices = connection.exec_driver_sql("SELECT count(*) FROM device").scalar()
        assert findings.proved["positions"] == stored
        assert findings.proved["devices"] == devices
