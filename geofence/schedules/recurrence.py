"""Recurrence rules of RFC 5545 (section 3.3.10) on the grid of local days.

What a library for them does one start after the other, from the first one on and as long as none is found, is
done here for the days asked about, all at once. So a rule costs as much as there are days, whatever it says.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geofence.schedules import calendar
from geofence.schedules.calendar import DAY, LAST_DAY, Days

LEAST_SPAN, MOST_SPAN = 2 * 365, 32 * 365
"""Days looked through at once for the last of `count` windows, at first and when it is not soon found."""


class Frequency(Enum):
    """FREQ of a rule. What comes more often is not needed: BYMINUTE gives the minutes of an hour."""

    YEARLY = auto()
    MONTHLY = auto()
    WEEKLY = auto()
    DAILY = auto()
    HOURLY = auto()


@dataclass(frozen=True)
class Rule:
    """The parts of a rule, where RFC 5545 leaves none out; () where a part is not given.

    `week_days` are pairs of an ordinal (0 for each) and a day (0 is Monday), `places` those of BYSETPOS.
    Months count from 1; weeks, days and places from 1, or backwards from -1. Hours and minutes ascend.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    week_days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recurrence:
    """Windows that begin as a rule says, from `start` on (local minutes since 1970-01-01T00:00).

    Each lasts `days` on the clock and then `minutes` as they pass. `until` (ms since the epoch) is the last
    time at which one begins. `start` itself begins one only where the rule says so too.
    """

    start: int
    rule: Rule
    days: int
    minutes: int
    until: int | None = None

    @property
    def reach(self) -> int:
        """How many days after its first one a window may end."""
        return self.days + self.minutes // DAY + 1

    def windows(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begins and ends on the clock of those that begin on these days, in local minutes."""
        begins = self._instances(first, last)
        if self.rule.count is not None:
            begins = begins[begins <= self._last]
        return begins, begins + self.days * DAY

    @cached_property
    def _last(self) -> int:
        """When the last window begins that `count` leaves."""
        missing, first, span = self.rule.count or 0, self.start // DAY, LEAST_SPAN
        while first <= LAST_DAY:
            found = self._instances(first, first + span - 1)
            if len(found) >= missing:
                return int(found[missing - 1])
            missing, first, span = missing - len(found), first + span, min(2 * span, MOST_SPAN)
        return (LAST_DAY + 1) * DAY

    def _instances(self, first: int, last: int) -> NDArray[np.int64]:
        """All that the rule says but `count` and `until`, on these days; ascending local minutes."""
        rule = self._complete
        first, last = max(first, self.start // DAY), min(last, LAST_DAY)
        if first > last:
            return np.empty(0, np.int64)
        times = np.array([60 * hour + minute for hour in rule.hours for minute in rule.minutes], np.int64)
        found = (self._days(first, last)[:, None] * DAY + times).ravel()
        if rule.frequency is Frequency.HOURLY:
            found = found[(found // 60 - self.start // 60) % rule.interval == 0]
        if rule.places:
            found = found[self._is_placed(found)]
        return found[
            np.searchsorted(found, max(first * DAY, self.start)) : np.searchsorted(found, (last + 1) * DAY)
        ]

    @cached_property
    def _complete(self) -> Rule:
        """The rule with what it leaves to its start."""
        rule, day = self.rule, np.array([self.start // DAY])
        hour, minute = divmod(self.start % DAY, 60)
        hours = rule.hours or (tuple(range(24)) if rule.frequency is Frequency.HOURLY else (hour,))
        rule = replace(rule, hours=hours, minutes=rule.minutes or (minute,))
        if rule.weeks or rule.year_days or rule.month_days or rule.week_days:
            return rule
        month = calendar.months(day)
        month_days = (int(day[0] - calendar.first_of_months(month)[0]) + 1,)
        match rule.frequency:
            case Frequency.YEARLY:
                return replace(rule, months=rule.months or (int(month[0]) % 12 + 1,), month_days=month_days)
            case Frequency.MONTHLY:
                return replace(rule, month_days=month_days)
            case Frequency.WEEKLY:
                return replace(rule, week_days=((0, int(calendar.weekdays(day)[0])),))
            case _:
                return rule

    def _days(self, first: int, last: int) -> Days:
        """Days that the rule takes, from the whole of the periods in which `first` and `last` are."""
        start, *ends = self._period(np.array([self.start // DAY, first, last])).tolist()
        days = np.arange(*self._days_of(*ends))
        if self.rule.frequency is not Frequency.HOURLY:
            days = days[(self._period(days) - start) % self.rule.interval == 0]
        return days[_takes(self._complete, days)]

    def _period(self, days: Days) -> Days:
        """The number of the year, month or week in which each day is; else of the day."""
        match self.rule.frequency:
            case Frequency.YEARLY:
                return calendar.years(days)
            case Frequency.MONTHLY:
                return calendar.months(days)
            case Frequency.WEEKLY:
                return (days + 3 - self.rule.week_start) // 7
            case _:
                return days

    def _days_of(self, first: int, last: int) -> tuple[int, int]:
        """The first day of one period, and the one after the last day of another."""
        ends = np.array([first, last + 1])
        match self.rule.frequency:
            case Frequency.YEARLY:
                ends = calendar.first_of_years(ends)
            case Frequency.MONTHLY:
                ends = calendar.first_of_months(ends)
            case Frequency.WEEKLY:
                ends = 7 * ends - 3 + self.rule.week_start
        return int(ends[0]), int(ends[1])

    def _is_placed(self, found: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which are at one of the places asked for among those of their period, all of which are there."""
        period = found // 60 if self.rule.frequency is Frequency.HOURLY else self._period(found // DAY)
        before = np.searchsorted(period, period)
        count = np.searchsorted(period, period, side="right") - before
        return _is_among(np.arange(len(found)) - before + 1, count, self.rule.places)


def _takes(rule: Rule, days: Days) -> NDArray[np.bool_]:
    """Which days each part of the rule about days takes."""
    takes = np.ones(len(days), np.bool_)
    month, year = calendar.months(days), calendar.years(days)
    of_month, month_days = _place(days, calendar.first_of_months(month), calendar.first_of_months(month + 1))
    of_year, year_days = _place(days, calendar.first_of_years(year), calendar.first_of_years(year + 1))
    if rule.months:
        takes &= np.isin(month % 12 + 1, rule.months)
    if rule.weeks:
        takes &= _is_among(*calendar.weeks(days, rule.week_start), rule.weeks)
    if rule.year_days:
        takes &= _is_among(of_year, year_days, rule.year_days)
    if rule.month_days:
        takes &= _is_among(of_month, month_days, rule.month_days)
    if rule.week_days:
        in_year = rule.frequency is Frequency.YEARLY and not rule.months
        place, count = (of_year, year_days) if in_year else (of_month, month_days)
        takes &= _is_weekday(calendar.weekdays(days), place, count, rule.week_days)
    return takes


def _place(days: Days, first: Days, next_first: Days) -> tuple[Days, Days]:
    """The place of days from 1 on in a period, and how many days it has."""
    return days - first + 1, next_first - first


def _is_among(place: Days, count: Days, wanted: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether a place from 1 to `count` is wanted, counted forwards or (-1 is the last) backwards."""
    return np.isin(place, wanted) | np.isin(place - count - 1, wanted)


def _is_weekday(
    weekday: Days, place: Days, count: Days, wanted: tuple[tuple[int, int], ...]
) -> NDArray[np.bool_]:
    """Whether days are such weekdays; an ordinal counts the days of that name from 1 on, or backwards."""
    codes = [WIDE * ordinal + day for ordinal, day in wanted]
    ordinals = (0, (place - 1) // 7 + 1, -((count - place) // 7) - 1)
    each, forwards, backwards = (np.isin(WIDE * ordinal + weekday, codes) for ordinal in ordinals)
    return each | forwards | backwards


WIDE = 16
"""More than there are weekdays."""
