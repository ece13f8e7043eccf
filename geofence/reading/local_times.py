"""Local dates and times as schedules name them, in numbers."""

import re
from datetime import date

from geofence.schedules.calendar import DAY, FIRST_YEAR, LAST_YEAR, day_number

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
DATE_AND_TIME = re.compile(rf"({DATE.pattern})T({TIME.pattern})(?::00)?")

EXPECTED_YEARS = f"of the years {FIRST_YEAR} to {LAST_YEAR}"


def date_of(text: object) -> int | None:
    """Days from 1970-01-01 to a date such as "2026-12-25"; None for what is none, or in other years."""
    if not isinstance(text, str) or DATE.fullmatch(text) is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day_number(day) if FIRST_YEAR <= day.year <= LAST_YEAR else None


def time_of(text: object) -> int | None:
    """Minutes from midnight to a time such as "08:00"; None for what is none."""
    match = TIME.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else 60 * int(match[1]) + int(match[2])


def date_and_time_of(text: object) -> int | None:
    """Minutes from 1970-01-01T00:00 to a time such as "2026-12-25T08:00"; None as above."""
    match = DATE_AND_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, time = date_of(match[1]), time_of(match[2])
    return None if day is None or time is None else day * DAY + time
