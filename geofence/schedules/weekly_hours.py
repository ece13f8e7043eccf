"""Windows that are the same each week."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from geofence.schedules.calendar import DAY, FIRST_DAY, LAST_DAY, weekdays


@dataclass(frozen=True)
class WeeklyHours:
    """`hours` are the windows: a day (0 is Monday), and begin and end in minutes of that day.

    An end that is not after the begin is on the next day.
    """

    hours: tuple[tuple[int, int, int], ...]

    reach: ClassVar[int] = 1
    """How many days after its first one a window may end."""
    minutes: ClassVar[int] = 0
    """How much longer a window lasts than to its end on the clock."""
    until: ClassVar[int | None] = None
    """The last time at which one begins."""

    def windows(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begins and ends on the clock of those that begin on these days, in local minutes since 1970."""
        days = np.arange(max(first, FIRST_DAY), min(last, LAST_DAY) + 1)
        of_week = weekdays(days)
        hours = np.array(self.hours, np.int64)
        window, at = np.nonzero(hours[:, :1] == of_week)
        begin, end = hours[window, 1], hours[window, 2]
        midnight = days[at] * DAY
        return midnight + begin, midnight + end + np.where(end <= begin, DAY, 0)
