"""A law of `overfly db check`: whatever happened, a tracker's database passes."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.retention import Retention
from service.timestamps import now
from tests.service.rewinding.test_any_history import ACTION, BEGINNING, QUICK, act, fresh_past

HOURS = st.floats(0.965, 1.0)
"""Of history to keep: what is flown is of two minutes, an hour ago."""


@QUICK
@given(
    st.lists(ACTION, min_size=5, max_size=25),
    st.sampled_from([0, 20]),
    st.none() | HOURS,
    st.sampled_from([1, 3, 1000]),
    st.lists(ACTION, max_size=5),
)
def test_whatever_happened_nothing_is_found(
    migrated: Path,
    actions: list[tuple[Any, ...]],
    window: float,
    kept_hours: float | None,
    at_once: int,
    later: list[tuple[Any, ...]],
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
