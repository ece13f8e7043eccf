"""Days as numbers (0 is 1970-01-01, Gregorian throughout) and where they stand in weeks, months and years."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]

DAY = 24 * 60
"""Minutes."""

EPOCH = date(1970, 1, 1).toordinal()

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Of schedules: outside of these years nothing is live."""


def day_number(day: date) -> int:
    """The number of a day."""
    return day.toordinal() - EPOCH


FIRST_DAY, LAST_DAY = day_number(date(FIRST_YEAR, 1, 1)), day_number(date(LAST_YEAR, 12, 31))


def weekdays(days: Days) -> Days:
    """0 is Monday."""
    return (days + 3) % 7


def months(days: Days) -> Days:
    """Months since January 1970."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64)


def years(days: Days) -> Days:
    """Years since 1970."""
    return days.astype("M8[D]").astype("M8[Y]").astype(np.int64)


def first_of_months(months: Days) -> Days:
    """The first day of months since January 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)


def first_of_years(years: Days) -> Days:
    """The first day of years since 1970."""
    return years.astype("M8[Y]").astype("M8[D]").astype(np.int64)


def weeks(days: Days, week_start: int) -> tuple[Days, Days]:
    """The number of each day's week, and how many weeks the year has that most of the week lies in.

    Week 1 is the first with four days in its year, as in ISO 8601 (whose `week_start` is 0, Monday).
    """
    middle = days - (weekdays(days) - week_start) % 7 + 3
    year = years(middle)
    first, next_first = first_of_years(year), first_of_years(year + 1)
    count = (next_first - 1 - week_start) // 7 - (first - 1 - week_start) // 7
    return (middle - first) // 7 + 1, count
