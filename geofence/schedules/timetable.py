"""What the schedule of a geofence says."""

from dataclasses import dataclass

from geofence.schedules.recurrence import Recurrence
from geofence.schedules.weekly_hours import WeeklyHours


@dataclass(frozen=True)
class Timetable:
    """Windows from their begin to just before their end, on the clock of an IANA zone.

    Left out are those that begin on one of `except_days` (since 1970-01-01) or at one of `except_minutes`
    (since 1970-01-01T00:00 on that clock).
    """

    zone: str
    hours: WeeklyHours | Recurrence
    except_days: tuple[int, ...] = ()
    except_minutes: tuple[int, ...] = ()
