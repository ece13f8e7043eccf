"""Weeks of years, by ISO 8601 and by counting."""

from datetime import date, timedelta

import numpy as np
import pytest

from geofence.schedules.calendar import LAST_DAY, day_number, weeks

DAYS = [date(1999, 12, 1) + timedelta(days) for days in range(9 * 365)]


def by_counting(day: date, week_start: int) -> tuple[int, int]:
    """The week that the day is in, whose fourth day decides on its year, and how many that year has."""
    middle = day - timedelta((day.weekday() - week_start) % 7) + timedelta(3)
    first = middle.replace(month=1, day=1)
    middles = [first + timedelta(at) for at in range(366) if (first + timedelta(at)).year == first.year]
    starts = [each for each in middles if each.weekday() == middle.weekday()]
    return starts.index(middle) + 1, len(starts)


@pytest.mark.parametrize("week_start", range(7))
def test_weeks_are_those_with_four_days_in_their_year(week_start: int) -> None:
    number, count = weeks(np.array([day_number(day) for day in DAYS]), week_start)

    found = list(zip(number.tolist(), count.tolist(), strict=True))
    assert found == [by_counting(day, week_start) for day in DAYS]
    if week_start == 0:
        assert number.tolist() == [day.isocalendar().week for day in DAYS]


def test_the_last_day_is_the_last_of_2199() -> None:
    assert day_number(date(2199, 12, 31)) == LAST_DAY
