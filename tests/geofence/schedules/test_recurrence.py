"""Recurrence rules: as RFC 5545 has them, as another implementation finds them, and at a bounded cost."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geofence.schedules.calendar import day_number
from geofence.schedules.recurrence import Recurrence
from tests.geofence.schedules.reference import rules, starts, starts_by_dateutil, timetable_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A local time; here all of them are in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)


def recurrence_of(rule: str, start: datetime) -> Recurrence:
    hours = timetable_of(
        {"zone": "UTC", "start": f"{start:%Y-%m-%dT%H:%M}", "rrule": rule, "duration": "PT1H"}
    ).hours
    assert isinstance(hours, Recurrence)
    return hours


def found(rule: str, start: datetime, first: date, last: date) -> list[datetime]:
    begins, ends = recurrence_of(rule, start).windows(day_number(first), day_number(last))
    assert ends.tolist() == begins.tolist()
    return [EPOCH + timedelta(minutes=minute) for minute in begins.tolist()]


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05T09:00",
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05T09:00",
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        (
            "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
            "1997-09-22T09:00",
            ["1997-09-22", "1997-10-20", "1997-11-17", "1997-12-22", "1998-01-19", "1998-02-16"],
        ),
        (
            "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
            "1997-01-01T09:00",
            [
                *("1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01", "2000-04-09", "2000-07-18"),
                *("2003-01-01", "2003-04-10", "2003-07-19", "2006-01-01"),
            ],
        ),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19T09:00", ["1997-05-19", "1998-05-18", "1999-05-17"]),
        (
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3",
            "1997-05-12T09:00",
            ["1997-05-12", "1998-05-11", "1999-05-17"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5",
            "1997-09-02T09:00",
            ["1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"],
        ),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
            "1996-11-05T09:00",
            ["1996-11-05", "2000-11-07", "2004-11-02"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=5",
            "1997-09-29T09:00",
            ["1997-09-29", "1997-10-30", "1997-11-27", "1997-12-30", "1998-01-29"],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
            "2007-01-15T09:00",
            ["2007-01-15", "2007-01-30", "2007-02-15", "2007-03-15", "2007-03-30"],
        ),
    ],
)
def test_examples_of_rfc_5545(rule: str, start: str, expected: list[str]) -> None:
    begins = found(rule, datetime.fromisoformat(f"{start}Z"), date(1990, 1, 1), date(2010, 1, 1))
    assert begins == [datetime.fromisoformat(f"{day}T09:00Z") for day in expected]


@given(rule=rules(), start=starts, days=st.integers(0, 1500), span=st.integers(0, 800))
@example("FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO", local(1990, 1, 1, 8), 0, 2000)
@example("FREQ=WEEKLY;BYDAY=MO,SU;BYSETPOS=2;WKST=SU", local(1990, 1, 7, 8), 0, 30)
@settings(max_examples=200, deadline=None)
def test_windows_begin_where_another_implementation_has_them(
    rule: str, start: datetime, days: int, span: int
) -> None:
    if "BYSETPOS" in rule and "WEEKLY" in rule:  # it has only the rest of the first week
        first_day = {"SU": 6, "TH": 3}.get(rule.partition("WKST=")[2][:2], 0)
        start -= timedelta(days=(start.weekday() - first_day) % 7)
    first = start.date() + timedelta(days=days)
    last = first + timedelta(days=span)
    expected = starts_by_dateutil(rule, start, local(last.year, last.month, last.day) + timedelta(days=1))
    assert found(rule, start, first, last) == [each for each in expected if each.date() >= first]


@given(rule=rules(), start=starts, cuts=st.lists(st.integers(-10, 1500), max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_split_of_days_finds_the_same_windows(rule: str, start: datetime, cuts: list[int]) -> None:
    day = start.date()
    edges = [day + timedelta(days=cut) for cut in sorted({-10, 1501, *cuts})]
    parts = [found(rule, start, first, last - timedelta(days=1)) for first, last in pairwise(edges)]
    assert [each for part in parts for each in part] == found(
        rule, start, edges[0], edges[-1] - timedelta(days=1)
    )


def test_a_start_that_the_rule_does_not_take_begins_no_window() -> None:
    begins = found("FREQ=WEEKLY;BYDAY=TU", local(2026, 1, 1, 8), date(2026, 1, 1), date(2026, 1, 13))
    assert begins == [local(2026, 1, 6, 8), local(2026, 1, 13, 8)]


def test_windows_begin_neither_before_1900_nor_after_2199() -> None:
    rule, start = "FREQ=DAILY", local(1900, 1, 1)
    assert found(rule, start, date(1899, 1, 1), date(1900, 1, 2)) == [start, start + timedelta(days=1)]
    assert found(rule, start, date(2199, 12, 31), date(2201, 1, 1)) == [local(2199, 12, 31)]
    assert found("FREQ=DAILY;COUNT=100000", start, date(2174, 1, 1), date(2199, 12, 31)) == []
    assert found("FREQ=MONTHLY;COUNT=100000", start, date(2199, 12, 1), date(2300, 1, 1)) == [
        local(2199, 12, 1)
    ]


def test_until_is_the_last_time_at_which_a_window_begins() -> None:
    recurrence = recurrence_of("FREQ=DAILY;UNTIL=20260105T080000", local(2026, 1, 1, 8))
    assert recurrence.until == local(2026, 1, 5, 8).timestamp() * 1000


def test_days_with_and_without_a_number_may_be_together() -> None:
    begins = found("FREQ=MONTHLY;BYDAY=MO,-1WE", local(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 31))
    assert [each.day for each in begins] == [5, 12, 19, 26, 28]
