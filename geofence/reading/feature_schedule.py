"""The schedule that stands in the properties of a Feature, with every fault that it has."""

from collections.abc import Callable
from typing import TypeVar

from geofence.faults import FeatureFaults
from geofence.reading.feature_recurrence import read_recurrence
from geofence.reading.json_values import shown
from geofence.reading.local_times import EXPECTED_YEARS, date_and_time_of, date_of, time_of
from geofence.schedules.calendar import DAY
from geofence.schedules.recurrence import Recurrence
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from geofence.schedules.zones import is_zone

T = TypeVar("T")

REASON = "schedule"
MEMBERS = ("zone", "weekly", "start", "rrule", "duration", "except")
EXPECTED_SCHEDULE = (
    'expected {"zone": "Europe/Zurich", "weekly": {"monday": [["08:00", "17:30"]]}} or the like'
)
MOST_NAMED = 100
"""Members of an object that are looked at; that more are wrong too is seen once these are right."""
EXPECTED_ZONE = 'expected the name of an IANA time zone, such as "Europe/Zurich"'

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_WINDOWS = 24
"""Of a day; so windows that begin in a year are fewer than 9,000."""
EXPECTED_WINDOWS = f'expected an array of up to {MOST_WINDOWS} windows such as ["08:00", "17:30"]'
EXPECTED_TIME = 'expected hours and minutes such as "08:00"'

MOST_EXCEPTIONS = 1000
EXPECTED_EXCEPTIONS = (
    f'expected an array of up to {MOST_EXCEPTIONS:,} local dates or times, such as "2026-12-25" or '
    '"2026-12-25T08:00"'
)


def read_schedule(value: object, faults: FeatureFaults) -> Timetable | None:
    """What it says; None where there is none, or beside the faults that were added."""
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.add(REASON, f"schedule is {shown(value)}: {EXPECTED_SCHEDULE}")
        return None
    before = len(faults.found)
    given = {name: part for name, part in value.items() if part is not None}
    for name in list(given)[:MOST_NAMED]:
        if name not in MEMBERS:
            faults.add(REASON, f"schedule has a member {shown(name)}: expected only {', '.join(MEMBERS)}")
    zone = _read_zone(given.get("zone"), faults)
    hours = _read_hours(given, zone, faults)
    days, minutes = _read_exceptions(given.get("except"), faults)
    if zone is None or hours is None or len(faults.found) > before:
        return None
    return Timetable(zone, hours, days, minutes)


def _read_zone(value: object, faults: FeatureFaults) -> str | None:
    if isinstance(value, str) and is_zone(value):
        return value
    said = "schedule has no zone" if value is None else f"schedule.zone is {shown(value)}"
    faults.add(REASON, f"{said}: {EXPECTED_ZONE}")
    return None


def _read_hours(
    given: dict[str, object], zone: str | None, faults: FeatureFaults
) -> WeeklyHours | Recurrence | None:
    rule = [name for name in ("start", "rrule", "duration") if name in given]
    if "weekly" in given and not rule:
        return _read_weekly(given["weekly"], faults)
    if "weekly" in given or not rule:
        has = f"weekly and {', '.join(rule)}" if rule else "neither weekly nor rrule"
        faults.add(REASON, f"schedule has {has}: expected either weekly, or start, rrule and duration")
        return None
    return read_recurrence(given, zone, faults)


def _read_weekly(value: object, faults: FeatureFaults) -> WeeklyHours | None:
    if not isinstance(value, dict):
        faults.add(REASON, f"schedule.weekly is {shown(value)}: expected an object of days, monday to sunday")
        return None
    hours: list[tuple[int, int, int]] = []
    for name, windows in list(value.items())[:MOST_NAMED]:
        if name not in WEEKDAYS:
            faults.add(REASON, f"schedule.weekly has a day {shown(name)}: expected {', '.join(WEEKDAYS)}")
        elif windows is not None and not (isinstance(windows, list) and len(windows) <= MOST_WINDOWS):
            holds = f"holds {len(windows):,} windows" if isinstance(windows, list) else f"is {shown(windows)}"
            faults.add(REASON, f"schedule.weekly.{name} {holds}: {EXPECTED_WINDOWS}")
        else:
            for number, window in enumerate(windows or ()):
                where = f"schedule.weekly.{name} item {number}"
                hours.append((WEEKDAYS.index(name), *_read_window(where, window, faults)))
    if not any(value.values()):
        faults.add(REASON, "schedule.weekly has no windows: expected at least one")
    return WeeklyHours(tuple(hours))


def _read_window(where: str, value: object, faults: FeatureFaults) -> tuple[int, int]:
    """Begin and end in minutes of the day; of no use where faults were added."""
    if not isinstance(value, list) or len(value) != 2:
        faults.add(REASON, f'{where} is {shown(value)}: expected begin and end, such as ["08:00", "17:30"]')
        return 0, 0
    begin, end = time_of(value[0]), DAY if value[1] == "24:00" else time_of(value[1])
    if begin is None:
        faults.add(REASON, f'{where} begins at {shown(value[0])}: {EXPECTED_TIME}, from "00:00" to "23:59"')
    if end is None:
        faults.add(REASON, f'{where} ends at {shown(value[1])}: {EXPECTED_TIME}, from "00:00" to "24:00"')
    if begin is None or end is None:
        return 0, 0
    if begin == end:
        expected = 'expected another end (of a whole day: ["00:00", "24:00"])'
        faults.add(REASON, f"{where} begins and ends at {shown(value[0])}: {expected}")
    return begin, end


def _read_exceptions(value: object, faults: FeatureFaults) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Days since 1970-01-01, and minutes since 1970-01-01T00:00."""
    if value is None:
        return (), ()
    if not isinstance(value, list) or len(value) > MOST_EXCEPTIONS:
        holds = f"holds {len(value):,} items" if isinstance(value, list) else f"is {shown(value)}"
        faults.add(REASON, f"schedule.except {holds}: {EXPECTED_EXCEPTIONS}")
        return (), ()
    days, minutes = _those_read(date_of, value), _those_read(date_and_time_of, value)
    for number, each in enumerate(value):
        if number not in days and number not in minutes:
            expected = f'expected the like of "2026-12-25" or "2026-12-25T08:00", {EXPECTED_YEARS}'
            faults.add(REASON, f"schedule.except item {number} is {shown(each)}: {expected}")
    return tuple(sorted({*days.values()})), tuple(sorted({*minutes.values()}))


def _those_read(read: Callable[[object], T | None], values: list[object]) -> dict[int, T]:
    """By their number, those of the values that can be read so."""
    both = ((number, read(value)) for number, value in enumerate(values))
    return {number: each for number, each in both if each is not None}
