"""The recurrence of a schedule: start, RRULE of RFC 5545 and duration, with every fault that they have.

What RFC 5545 does not allow is refused, and what calendars read in different ways, with what is clear.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from geofence.faults import FeatureFaults
from geofence.reading.json_values import shown
from geofence.reading.local_times import EXPECTED_YEARS, date_and_time_of
from geofence.schedules.calendar import FIRST_YEAR, LAST_YEAR
from geofence.schedules.recurrence import Frequency, Recurrence, Rule
from geofence.schedules.zones import utc

REASON = "schedule"

FREQUENCIES = ", ".join(frequency.name for frequency in Frequency)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

LONGEST_RULE = 1000
"""Characters."""
MOST_INTERVAL = 10_000
MOST_COUNT = 100_000
MOST_A_DAY = 24
"""Windows that begin on one day; so those of a year are fewer than 9,000."""
LONGEST_DAYS = 366


class Part(NamedTuple):
    """A part that is a list of numbers: its name in a Rule, and which they are, negative ones too or not."""

    name: str
    least: int
    most: int
    backwards: bool = False


PARTS = {
    "BYMONTH": Part("months", 1, 12),
    "BYWEEKNO": Part("weeks", 1, 53, backwards=True),
    "BYYEARDAY": Part("year_days", 1, 366, backwards=True),
    "BYMONTHDAY": Part("month_days", 1, 31, backwards=True),
    "BYHOUR": Part("hours", 0, 23),
    "BYMINUTE": Part("minutes", 0, 59),
    "BYSETPOS": Part("places", 1, 366, backwards=True),
}
NAMES = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *PARTS)

NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
BYDAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(WEEKDAYS)})")
UNTIL = re.compile(r"[0-9]{8}T[0-9]{6}Z?")
DURATION = re.compile(r"P(?:([0-9]{1,2})W|(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?)?)")


def read_recurrence(given: dict[str, object], zone: str | None, faults: FeatureFaults) -> Recurrence | None:
    """The windows of start, rrule and duration; None beside the faults that were added.

    `zone` is None where it has a fault itself.
    """
    start = date_and_time_of(given.get("start"))
    if start is None:
        expected = f'expected a local date and time such as "2026-01-01T08:00", {EXPECTED_YEARS}'
        faults.add(REASON, f"schedule.start is {shown(given.get('start'))}: {expected}")
    duration = _read_duration(given.get("duration"), faults)
    parts = _read_parts(given.get("rrule"), faults)
    if parts is None:
        return None
    until = _read_until(parts, zone, faults)
    rule = _read_rule(parts, faults)
    if start is None or duration is None or rule is None:
        return None
    return Recurrence(start, rule, *duration, until)


def _read_duration(value: object, faults: FeatureFaults) -> tuple[int, int] | None:
    """Days on the clock, and minutes as they pass."""
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
        length = timedelta(days=7 * weeks + days, hours=hours, minutes=minutes)
        if timedelta() < length <= timedelta(days=LONGEST_DAYS):
            return 7 * weeks + days, 60 * hours + minutes
    expected = f'expected days, hours and minutes such as "PT8H" or "P1DT30M", up to {LONGEST_DAYS} days'
    faults.add(REASON, f"schedule.duration is {shown(value)}: {expected}")
    return None


def _read_parts(value: object, faults: FeatureFaults) -> dict[str, str] | None:
    """The parts of a rule by their names."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_RULE:
        example = '"FREQ=WEEKLY;BYDAY=MO,TU"'
        told = f"has {len(value):,} characters" if isinstance(value, str) else f"is {shown(value)}"
        expected = f"expected a rule of up to {LONGEST_RULE:,} characters, such as {example}"
        faults.add(REASON, f"schedule.rrule {told}: {expected}")
        return None
    if not value.isascii():
        faults.add(
            REASON, f"schedule.rrule is {shown(value)}: expected letters of ASCII alone, as RFC 5545 has them"
        )
        return None
    parts: dict[str, str] = {}
    for part in value.upper().removeprefix("RRULE:").split(";"):
        name, _, text = part.partition("=")
        if name not in NAMES:
            faults.add(REASON, f"schedule.rrule has a part {shown(part)}: expected {', '.join(NAMES)}")
        elif name in parts:
            faults.add(REASON, f"schedule.rrule has {name} twice: expected each part once")
        parts[name] = text
    return parts


def _read_rule(parts: dict[str, str], faults: FeatureFaults) -> Rule | None:
    """The rule, but for UNTIL."""
    before = len(faults.found)
    if parts.get("FREQ") not in Frequency.__members__:
        hint = " (BYMINUTE gives minutes of an hour)" if parts.get("FREQ") in ("MINUTELY", "SECONDLY") else ""
        asked = f"FREQ={parts['FREQ'][:20]}" if "FREQ" in parts else "no FREQ"
        faults.add(REASON, f"schedule.rrule has {asked}: expected {FREQUENCIES}{hint}")
    interval = _read_number("INTERVAL", MOST_INTERVAL, parts, faults)
    count = _read_number("COUNT", MOST_COUNT, parts, faults)
    week_start = parts.get("WKST", WEEKDAYS[0])
    if week_start not in WEEKDAYS:
        faults.add(
            REASON, f"schedule.rrule has WKST={week_start[:20]}: expected one of {', '.join(WEEKDAYS)}"
        )
    numbers = {part.name: _read_numbers(name, part, parts, faults) for name, part in PARTS.items()}
    week_days = _read_week_days(parts, faults)
    if len(faults.found) > before:
        return None
    rule = Rule(
        Frequency[parts["FREQ"]],
        interval or 1,
        count,
        WEEKDAYS.index(week_start),
        week_days=week_days,
        **numbers,
    )
    wrong = [expected for is_wrong, expected in _unclear(rule, parts) if is_wrong]
    for expected in wrong:
        faults.add(REASON, f"schedule.rrule has {expected}")
    return None if wrong else rule


def _unclear(rule: Rule, parts: dict[str, str]) -> Sequence[tuple[bool, str]]:
    """What parts may be together, and whether these are not."""
    frequency, of = rule.frequency, f"with FREQ={rule.frequency.name}"
    yearly, monthly = frequency is Frequency.YEARLY, frequency is Frequency.MONTHLY
    ordinals = any(ordinal for ordinal, _ in rule.week_days)
    hours = len(rule.hours) or (-(-24 // rule.interval) if frequency is Frequency.HOURLY else 1)
    a_day = hours * (len(rule.minutes) or 1)
    return (
        ("COUNT" in parts and "UNTIL" in parts, "COUNT and UNTIL: expected one of them at most"),
        (bool(rule.weeks) and not yearly, f"BYWEEKNO {of}: expected it with FREQ=YEARLY only"),
        (
            bool(rule.year_days) and frequency not in (Frequency.YEARLY, Frequency.HOURLY),
            f"BYYEARDAY {of}: expected it with FREQ=YEARLY or HOURLY only",
        ),
        (
            bool(rule.month_days) and frequency is Frequency.WEEKLY,
            f"BYMONTHDAY {of}: expected it with another FREQ, such as DAILY",
        ),
        (
            ordinals and not yearly and not monthly,
            f"numbers in BYDAY {of}: expected them with FREQ=YEARLY or MONTHLY only",
        ),
        (
            ordinals and bool(rule.weeks),
            "numbers in BYDAY with BYWEEKNO: expected days without numbers",
        ),
        (
            bool(rule.month_days) and yearly and not rule.months,
            f"BYMONTHDAY {of} and no BYMONTH: expected BYMONTH too, or FREQ=MONTHLY",
        ),
        (
            bool(rule.weeks) and not rule.week_days,
            "BYWEEKNO and no BYDAY: expected BYDAY too, which says the days of the weeks",
        ),
        (
            bool(rule.places) and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts),
            "BYSETPOS alone: expected another part for it to choose from, such as BYDAY",
        ),
        (a_day > MOST_A_DAY, f"windows that begin {a_day:,} times a day: expected up to {MOST_A_DAY}"),
    )


def _read_number(name: str, most: int, parts: dict[str, str], faults: FeatureFaults) -> int | None:
    text = parts.get(name)
    if text is None:
        return None
    number = int(text) if NUMBER.fullmatch(text) else 0
    if not 1 <= number <= most:
        faults.add(REASON, f"schedule.rrule has {name}={text[:20]}: expected 1 to {most:,}")
    return number


def _read_numbers(name: str, part: Part, parts: dict[str, str], faults: FeatureFaults) -> tuple[int, ...]:
    """Ascending, each once."""
    if name not in parts:
        return ()
    numbers: set[int] = set()
    for text in parts[name].split(","):
        number = int(text) if NUMBER.fullmatch(text) else -1000
        if not part.least <= (abs(number) if part.backwards else number) <= part.most:
            backwards = f" or -{part.most} to -{part.least}" if part.backwards else ""
            expected = f"expected {part.least} to {part.most}{backwards}"
            faults.add(REASON, f"schedule.rrule has {shown(text)} in {name}: {expected}")
        numbers.add(number)
    return tuple(sorted(numbers))


def _read_week_days(parts: dict[str, str], faults: FeatureFaults) -> tuple[tuple[int, int], ...]:
    if "BYDAY" not in parts:
        return ()
    days: set[tuple[int, int]] = set()
    for text in parts["BYDAY"].split(","):
        match = BYDAY.fullmatch(text)
        if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
            expected = f"expected {', '.join(WEEKDAYS)}, or with a number such as 1MO or -1FR"
            faults.add(REASON, f"schedule.rrule has {shown(text)} in BYDAY: {expected}")
        else:
            days.add((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(sorted(days))


def _read_until(parts: dict[str, str], zone: str | None, faults: FeatureFaults) -> int | None:
    """Milliseconds since the epoch, of a time in UTC or on the zone's clock."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    try:
        time = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        time = None
    if UNTIL.fullmatch(text) is None or time is None or not FIRST_YEAR <= time.year <= LAST_YEAR:
        expected = (
            f"expected a time such as 20261231T235959 (local) or 20261231T235959Z (UTC), {EXPECTED_YEARS}"
        )
        faults.add(REASON, f"schedule.rrule has UNTIL={text[:20]}: {expected}")
        return None
    seconds = int(time.timestamp())
    if text.endswith("Z") or zone is None:
        return seconds * 1000
    return int(utc(zone, np.array([seconds // 60]))[0]) + seconds % 60 * 1000
