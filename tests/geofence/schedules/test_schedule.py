"""When schedules are live: by the minute over changes of clocks, and that all ways of asking agree."""

import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.reading.feature_schedule import WEEKDAYS
from geofence.schedules import columns
from geofence.schedules.schedule import REMEMBERED, STRETCH, Schedule
from tests.geofence.schedules.reference import (
    ZONES,
    Json,
    durations,
    is_live,
    milliseconds,
    recurring_windows,
    rules,
    schedule_of,
    schedules,
    starts,
    starts_by_dateutil,
    timetable_of,
    weeklies,
    weekly_windows,
)

MINUTE = timedelta(minutes=1)
CLOCK_CHANGES = [
    ("Europe/Zurich", date(2026, 3, 29)),
    ("Europe/Zurich", date(2026, 10, 25)),
    ("America/New_York", date(2007, 3, 11)),
    ("America/New_York", date(2007, 11, 4)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Africa/Casablanca", date(2023, 3, 19)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE: NDArray[np.int64] = np.empty(0, np.int64)

instants = st.integers(
    milliseconds(datetime(1989, 12, 1, tzinfo=UTC)), milliseconds(datetime(1996, 2, 1, tzinfo=UTC))
)


def minutes_around(day: date) -> list[datetime]:
    """Every minute of that day and the two beside it, in UTC, whatever the zone."""
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    return [first + number * MINUTE for number in range(3 * 24 * 60)]


def live_at(schedule: Schedule, times: list[datetime]) -> list[bool]:
    live: list[bool] = schedule.live(np.array(list(map(milliseconds, times)), np.int64)).tolist()
    return live


@given(change=st.sampled_from(CLOCK_CHANGES), weekly=weeklies)
@settings(max_examples=60, deadline=None)
def test_weekly_hours_by_the_minute_over_a_change_of_the_clock(
    change: tuple[str, date], weekly: dict[str, list[list[str]]]
) -> None:
    zone, day = change
    times = minutes_around(day)
    reference = weekly_windows(zone, weekly, day - timedelta(days=5), day + timedelta(days=4))
    schedule = schedule_of({"zone": zone, "weekly": weekly})
    assert live_at(schedule, times) == [is_live(reference, time) for time in times]


@given(zone=st.sampled_from(ZONES), rule=rules(), start=starts, days=st.integers(0, 2000), duration=durations)
@settings(max_examples=100, deadline=None)
def test_recurring_windows_by_the_quarter_of_an_hour(
    zone: str, rule: str, start: datetime, days: int, duration: str
) -> None:
    if "BYSETPOS" in rule and "WEEKLY" in rule:
        rule = rule.replace("WEEKLY", "MONTHLY")  # see test_recurrence.py
    schedule = {"zone": zone, "start": f"{start:%Y-%m-%dT%H:%M}", "rrule": rule, "duration": duration}
    hours = timetable_of(schedule).hours
    middle = start + timedelta(days=days)
    begins = starts_by_dateutil(rule, start, middle + timedelta(days=5))
    reference = recurring_windows(zone, begins, hours.reach - 1 - hours.minutes // 1440, hours.minutes)
    near = [each for each in reference if each[1] > middle - timedelta(days=3)]
    times = [middle + number * 15 * MINUTE for number in range(-96, 2 * 96)]
    assert live_at(schedule_of(schedule), times) == [is_live(near, time) for time in times]


@pytest.mark.parametrize(
    ("begin", "end", "live"),
    [
        ("02:15", "02:45", [("03:15", "03:45")]),  # both in the hour that was left out: an hour later
        ("01:30", "02:30", [("01:30", "02:00"), ("03:00", "03:30")]),
        ("02:30", "03:15", []),  # it would end before it begins
        ("03:00", "04:00", [("03:00", "04:00")]),
    ],
)
def test_a_time_that_the_clock_leaves_out_is_read_with_the_offset_before(
    begin: str, end: str, live: list[tuple[str, str]]
) -> None:
    zone = ZoneInfo("Europe/Zurich")
    schedule = schedule_of({"zone": "Europe/Zurich", "weekly": {"sunday": [[begin, end]]}})
    times = minutes_around(date(2026, 3, 29))
    found = [f"{time.astimezone(zone):%H:%M}" for time in times if live_at(schedule, [time])[0]]
    assert found == [
        f"{minute // 60:02}:{minute % 60:02}"
        for first, last in live
        for minute in range(_minutes(first), _minutes(last))
    ]


def _minutes(time: str) -> int:
    return 60 * int(time[:2]) + int(time[3:])


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    schedule = schedule_of({"zone": "Europe/Zurich", "weekly": {"sunday": [["02:15", "02:45"]]}})
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15 in summer
    assert [time for time in minutes_around(date(2026, 10, 25)) if live_at(schedule, [time])[0]] == [
        first + number * MINUTE for number in range(30)
    ]


def test_days_of_a_duration_are_of_the_clock_and_hours_pass() -> None:
    start = {"zone": "Europe/Zurich", "start": "2026-03-28T12:00", "rrule": "FREQ=DAILY;COUNT=1"}
    ends = {}
    for duration in ("P1D", "PT24H"):
        borders = schedule_of({**start, "duration": duration}).changes_between(
            np.array([0]), np.array([milliseconds(datetime(2027, 1, 1, tzinfo=UTC))])
        )
        ends[duration] = EPOCH + timedelta(milliseconds=int(borders.time[1]))
    assert ends == {
        "P1D": datetime(2026, 3, 29, 10, tzinfo=UTC),
        "PT24H": datetime(2026, 3, 29, 11, tzinfo=UTC),
    }


def test_windows_are_open_from_their_begin_to_just_before_their_end() -> None:
    schedule = schedule_of({"zone": "UTC", "weekly": {"thursday": [["01:00", "02:00"]]}})
    hour = 3_600_000
    times = np.array([hour - 1, hour, 2 * hour - 1, 2 * hour])
    assert schedule.live(times).tolist() == [False, True, True, False]
    borders = schedule.changes_between(
        np.array([hour, hour - 1, 0]), np.array([2 * hour - 1, hour, 2 * hour])
    )
    assert borders.pair.tolist() == [1, 2, 2]
    assert borders.time.tolist() == [hour, hour, 2 * hour]
    assert borders.opens.tolist() == [True, True, False]


def test_windows_that_touch_or_overlap_have_no_border_between() -> None:
    everything = {day: [["00:00", "24:00"]] for day in ("monday", "tuesday", "wednesday", "thursday")}
    weekend = {"friday": [["00:00", "12:00"], ["06:00", "24:00"]], "saturday": [["00:00", "08:00"]]}
    night = {"saturday": [["00:00", "08:00"], ["08:00", "02:00"]], "sunday": [["01:00", "24:00"]]}
    schedule = schedule_of({"zone": "Europe/Zurich", "weekly": everything | weekend | night})
    first, last = np.array([0]), np.array([10 * STRETCH])
    assert len(schedule.changes_between(first, last).time) == 0
    assert schedule.live(np.arange(0, 10 * STRETCH, STRETCH // 7)).all()


def test_windows_that_begin_on_an_exception_are_left_out_to_their_end() -> None:
    schedule = schedule_of(
        {
            "zone": "Europe/Zurich",
            "weekly": {"friday": [["08:00", "12:00"], ["22:00", "06:00"]]},
            "except": ["2026-01-02", "2026-01-09T08:00"],
        }
    )
    asked = {
        "2026-01-02T07:30Z": False,
        "2026-01-02T21:30Z": False,
        "2026-01-03T04:00Z": False,
        "2026-01-09T07:30Z": False,
        "2026-01-09T21:30Z": True,
        "2026-01-10T04:00Z": True,
        "2026-01-16T07:30Z": True,
    }
    assert live_at(schedule, [datetime.fromisoformat(time) for time in asked]) == list(asked.values())


def test_no_window_begins_after_until() -> None:
    rule = {"zone": "Europe/Zurich", "start": "2026-01-01T08:00", "duration": "PT10M"}
    seven, eight = datetime(2026, 1, 3, 7, 5, tzinfo=UTC), datetime(2026, 1, 4, 7, 5, tzinfo=UTC)
    for until in ("20260103T080000", "20260103T070000Z", "20260104T065959Z", "20260104T075959"):
        schedule = schedule_of({**rule, "rrule": f"FREQ=DAILY;UNTIL={until}"})
        assert live_at(schedule, [seven, eight]) == [True, False]


@given(
    schedule=schedules(), pairs=st.lists(st.tuples(instants, st.integers(0, 200 * 86_400_000)), max_size=8)
)
@settings(max_examples=150, deadline=None)
def test_what_is_live_and_what_changes_between_agree(schedule: Json, pairs: list[tuple[int, int]]) -> None:
    asked = schedule_of(schedule)
    start = np.array([first for first, _ in pairs], np.int64)
    end = np.array([first + length for first, length in pairs], np.int64)
    borders = asked.changes_between(start, end)
    assert borders.pair.tolist() == sorted(borders.pair.tolist())
    for number in range(len(pairs)):
        of_pair = borders.pair == number
        time, opens = borders.time[of_pair], borders.opens[of_pair]
        assert ((time > start[number]) & (time <= end[number])).all()
        assert (np.diff(time) > 0).all()
        states = [*asked.live(start[number : number + 1]).tolist(), *opens.tolist()]
        assert all(before != after for before, after in pairwise(states))
        assert states[-1] == asked.live(end[number : number + 1])[0]
        assert asked.live(time).tolist() == opens.tolist()
        assert asked.live(time - 1).tolist() == (~opens).tolist()


@given(schedule=schedules(), times=st.lists(instants, max_size=30))
@settings(max_examples=60, deadline=None)
def test_many_times_at_once_are_as_one_after_the_other(schedule: Json, times: list[int]) -> None:
    at_once = schedule_of(schedule).live(np.array(times, np.int64)).tolist()
    assert at_once == [bool(schedule_of(schedule).live(np.array([time]))[0]) for time in times]


@given(
    asked=st.lists(schedules(), min_size=1, max_size=4),
    pairs=st.lists(st.tuples(st.integers(0, 3), instants, st.integers(0, 10**10)), max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_many_schedules_at_once_are_as_one_after_the_other(
    asked: list[Json], pairs: list[tuple[int, int, int]]
) -> None:
    several = [*map(schedule_of, asked), schedule_of(asked[0])]
    several.append(several[0])
    of = np.array([number % len(several) for number, _, _ in pairs], np.int64)
    start = np.array([first for _, first, _ in pairs], np.int64)
    end = start + np.array([length for _, _, length in pairs], np.int64)
    borders = columns.changes_between(several, of, start, end)
    assert columns.live(several, of, start).tolist() == [
        bool(several[number].live(start[at : at + 1])[0]) for at, number in enumerate(of.tolist())
    ]
    expected = [
        several[number].changes_between(start[at : at + 1], end[at : at + 1]) for at, number in enumerate(of)
    ]
    assert borders.pair.tolist() == [at for at, each in enumerate(expected) for _ in each.time]
    assert borders.time.tolist() == [time for each in expected for time in each.time.tolist()]
    assert borders.opens.tolist() == [opens for each in expected for opens in each.opens.tolist()]


def test_nothing_asked_is_nothing_answered() -> None:
    schedule = schedule_of({"zone": "UTC", "weekly": {"monday": [["00:00", "24:00"]]}})
    assert schedule.live(NONE).tolist() == []
    assert [len(column) for column in schedule.changes_between(NONE, NONE)] == [0, 0, 0]
    assert [len(column) for column in columns.changes_between([], NONE, NONE, NONE)] == [0, 0, 0]
    assert columns.live([], NONE, NONE).tolist() == []


def test_there_are_no_windows_before_1900_nor_after_2199_however_far_away() -> None:
    schedule = schedule_of({"zone": "Pacific/Apia", "weekly": {"friday": [["00:00", "24:00"]]}})
    ends = np.array([np.iinfo(np.int64).min, -(10**17), 10**17, np.iinfo(np.int64).max])
    assert not schedule.live(ends).any()
    borders = schedule.changes_between(ends[:1], ends[-1:])
    years = {(EPOCH + timedelta(milliseconds=time)).year for time in borders.time[[0, -1]].tolist()}
    assert years == {1900, 2199}
    assert borders.opens.tolist() == [True, False] * (len(borders.time) // 2)


def calls_of(act: Callable[[], object]) -> int:
    """How many functions are called meanwhile: work in numbers, whatever the time."""
    calls = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


DAY = 86_400_000
HOSTILE = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=100000",
    "FREQ=DAILY;INTERVAL=10000;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30;COUNT=100000",
    "FREQ=HOURLY;INTERVAL=2;BYHOUR=1;COUNT=100000",
    "FREQ=HOURLY;COUNT=100000",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=366;COUNT=1",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO,TU,WE;BYMONTH=6",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,30",
    "FREQ=HOURLY;UNTIL=19000101T000000Z",
]


@pytest.mark.parametrize("rule", HOSTILE)
def test_a_hostile_rule_costs_a_bounded_number_of_steps_and_bytes(rule: str) -> None:
    schedule = schedule_of({"zone": "UTC", "start": "1900-01-01T00:00", "rrule": rule, "duration": "P366D"})
    times = [np.array([milliseconds(datetime(year, 6, 1, tzinfo=UTC))]) for year in (1901, 2026, 2199)]
    schedule.live(times[0])  # what is found once, of `COUNT` for one
    tracemalloc.start()
    again = schedule_of({"zone": "UTC", "start": "1900-01-01T00:00", "rrule": rule, "duration": "P366D"})
    first = calls_of(lambda: again.live(times[0]))
    rest = calls_of(lambda: [again.live(each) for each in times[1:]])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert first < 100_000
    assert rest < 100_000
    assert peak < 16 << 20


def test_what_is_remembered_is_bounded_also_where_times_are_in_all_years() -> None:
    schedule = schedule_of({"zone": "Europe/Zurich", "weekly": {"monday": [["08:00", "12:00"]]}})
    times = np.arange(-70 * 365 * DAY, 200 * 365 * DAY, 10 * DAY)
    calls = calls_of(lambda: schedule.live(times))
    assert len(schedule._stretches) <= REMEMBERED
    assert calls < 500 * 270 * 365 // 64
    schedule.live(times[-100:])
    assert calls_of(lambda: schedule.live(times[-100:])) < 200


def test_weekly_hours_go_on_to_the_last_day_of_2199_and_begin_with_the_first_of_1900() -> None:
    hours = {day: [["09:00", "17:00"]] for day in WEEKDAYS}
    schedule = schedule_of({"zone": "UTC", "weekly": hours})
    days = [(1899, 12, 31), (1900, 1, 1), (2199, 12, 30), (2199, 12, 31), (2200, 1, 1)]
    noons = [datetime(*day, 12, tzinfo=UTC) for day in days]

    assert live_at(schedule, noons) == [False, True, True, True, False]
