"""Schedules by the day and the minute, with datetime and zoneinfo; and starts by python-dateutil."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from hypothesis import strategies as st

from geofence.faults import FeatureFaults
from geofence.reading.feature_schedule import WEEKDAYS, read_schedule
from geofence.schedules.schedule import Schedule
from geofence.schedules.timetable import Timetable

Json = dict[str, object]
Window = tuple[datetime, datetime]

ZONES = (
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "America/Sao_Paulo",  # its clock went forward at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # back for Ramadan
    "Pacific/Apia",  # left out 30 December 2011
    "Asia/Kathmandu",
)


def timetable_of(schedule: Json) -> Timetable:
    """What is read from this JSON, which has no faults."""
    faults = FeatureFaults()
    timetable = read_schedule(schedule, faults)
    assert timetable is not None, faults.found
    return timetable


def schedule_of(schedule: Json) -> Schedule:
    """The same, to be asked."""
    return Schedule(timetable_of(schedule))


def milliseconds(when: datetime) -> int:
    """Since the epoch."""
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def weekly_windows(zone: str, weekly: dict[str, list[list[str]]], first: date, last: date) -> list[Window]:
    """Begin and end of each window of weekly hours that begins on these days, one day after the other."""
    clock = ZoneInfo(zone)
    windows = []
    for day in _days(first, last):
        for begin, end in weekly.get(WEEKDAYS[day.weekday()], []):
            until = day + timedelta(days=1) if end == "24:00" or end <= begin else day
            ends = time.fromisoformat("00:00" if end == "24:00" else end)
            windows.append((_at(day, time.fromisoformat(begin), clock), _at(until, ends, clock)))
    return windows


def recurring_windows(zone: str, starts: list[datetime], days: int, minutes: int) -> list[Window]:
    """Begin and end of the windows that begin at these local times."""
    clock = ZoneInfo(zone)
    windows = []
    for start in starts:
        end = start + timedelta(days=days)
        ends = _at(end.date(), end.time(), clock) + timedelta(minutes=minutes)
        windows.append((_at(start.date(), start.time(), clock), ends))
    return windows


def is_live(windows: list[Window], when: datetime) -> bool:
    """Whether one of the windows is open."""
    return any(begin <= when < end for begin, end in windows)


def _at(day: date, clock_time: time, clock: ZoneInfo) -> datetime:
    """An instant, in UTC: comparing times of one zone would compare what its clock says."""
    return datetime.combine(day, clock_time, clock).astimezone(UTC)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


CYCLES = 20
"""Of 400 years, after which the Gregorian calendar is the same again, weekdays too."""


def starts_by_dateutil(rule: str, start: datetime, until: datetime) -> list[datetime]:
    """Where a rule begins a window, from `start` to before `until` (local times, 1980 to 1999).

    It is asked about 8,000 years later: it looks on until the year 9999 where a rule never begins one.
    """
    shifted = start.replace(year=start.year + 400 * CYCLES)
    limit = until.replace(year=until.year + 400 * CYCLES)
    found: list[datetime] = []
    with suppress(
        ValueError, OverflowError
    ):  # of a rule that it knows to be empty, and at the end of all years
        found.extend(takewhile(lambda each: each < limit, rrulestr(rule, dtstart=shifted)))
    return [each.replace(year=each.year - 400 * CYCLES) for each in found]


# --- schedules as people may write them

times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
windows = st.tuples(times, times | st.just("24:00")).filter(lambda each: each[0] != each[1]).map(list)
weeklies = st.dictionaries(st.sampled_from(WEEKDAYS), st.lists(windows, max_size=3), max_size=7).filter(
    lambda weekly: any(weekly.values())
)
"""Some windows overlap, some go over midnight."""


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that are taken; some never begin a window."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    may: dict[str, st.SearchStrategy[str]] = {
        "INTERVAL": st.sampled_from(["1", "2", "3", "5", "12", "25"]),
        "COUNT": st.sampled_from(["1", "2", "7", "40"]),
        "WKST": st.sampled_from(["MO", "SU", "TH"]),
        "BYMONTH": numbers(1, 12),
        "BYHOUR": numbers(0, 23),
        "BYDAY": st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1).map(
            ",".join
        ),
    }
    if frequency == "HOURLY":
        may["BYHOUR"] = numbers(0, 23)
    else:
        may["BYMINUTE"] = numbers(0, 59)
    if frequency in ("YEARLY", "MONTHLY"):
        ordinals = st.sampled_from(["1", "-1", "2", "+3", "-5"])
        days = st.builds("{}{}".format, ordinals, st.sampled_from(["MO", "WE", "SA", "SU"]))
        may["BYDAY"] |= st.lists(days, min_size=1, max_size=4).map(",".join)
    if frequency != "WEEKLY":
        may["BYMONTHDAY"] = numbers(1, 31, backwards=True)
    if frequency in ("YEARLY", "HOURLY"):
        may["BYYEARDAY"] = numbers(1, 366, backwards=True)
    names = draw(st.sets(st.sampled_from(sorted(may)), max_size=4))
    parts = {name: draw(may[name]) for name in sorted(names)}
    if frequency == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts["BYWEEKNO"] = draw(
            st.lists(st.sampled_from([*range(1, 54), -1]), min_size=1, max_size=3).map(_joined)
        )
        parts["BYDAY"] = draw(st.sampled_from(["MO", "TU,SU", "SA"]))
    if frequency == "YEARLY" and "BYMONTHDAY" in parts:
        parts.setdefault("BYMONTH", draw(may["BYMONTH"]))
    if any(name.startswith("BY") for name in parts) and draw(st.booleans()):
        parts["BYSETPOS"] = draw(numbers(1, 6, backwards=True))
    return ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items())])


def numbers(least: int, most: int, *, backwards: bool = False) -> st.SearchStrategy[str]:
    """Lists of up to four numbers, some of them at the ends."""
    each = st.integers(least, most) | st.sampled_from([least, most])
    if backwards:
        each |= each.map(lambda number: -number)
    return st.lists(each, min_size=1, max_size=4).map(_joined)


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


durations = st.sampled_from(["PT15M", "PT1H", "PT8H", "PT26H", "P1D", "P1DT1H", "P2W", "PT24H", "P100D"])
starts = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minute: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
"""Local times, as all others here that are in no zone of their own: in UTC, since they need one."""


@st.composite
def schedules(draw: st.DrawFn) -> Json:
    """Schedules that are taken."""
    schedule: Json = {"zone": draw(st.sampled_from(ZONES))}
    if draw(st.booleans()):
        schedule["weekly"] = draw(weeklies)
    else:
        start = draw(starts)
        schedule |= {"start": f"{start:%Y-%m-%dT%H:%M}", "rrule": draw(rules()), "duration": draw(durations)}
    dates = st.dates(date(1990, 1, 1), date(1996, 1, 1)).map(date.isoformat)
    exceptions = dates | starts.map(lambda each: f"{each:%Y-%m-%dT%H:%M}")
    schedule["except"] = draw(st.none() | st.lists(exceptions, max_size=5))
    return schedule
