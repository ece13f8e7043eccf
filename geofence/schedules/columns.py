"""Many schedules asked at once: n pairs of a schedule and a time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from geofence.schedules.schedule import Borders, Schedule


def live(
    schedules: Sequence[Schedule], of: NDArray[np.integer], times: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the schedule numbered beside each time (ms) has a window open then."""
    live = np.empty(len(times), np.bool_)
    for schedule, at in _groups(schedules, of):
        live[at] = schedule.live(times[at])
    return live


def changes_between(
    schedules: Sequence[Schedule], of: NDArray[np.integer], start: NDArray[np.int64], end: NDArray[np.int64]
) -> Borders:
    """When windows of the schedule beside each pair of times (ms) open and close, by pair and time."""
    parts = [Borders(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))]
    for schedule, at in _groups(schedules, of):
        borders = schedule.changes_between(start[at], end[at])
        parts.append(borders._replace(pair=at[borders.pair]))
    pair, time, opens = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(pair, kind="stable")
    return Borders(pair[order], time[order], opens[order])


def _groups(
    schedules: Sequence[Schedule], of: NDArray[np.integer]
) -> Iterator[tuple[Schedule, NDArray[np.intp]]]:
    """Each schedule once, however often it is among them, with its places in `of`."""
    numbers: dict[int, int] = {}
    number = np.array([numbers.setdefault(id(each), len(numbers)) for each in schedules], np.int64)[of]
    distinct = {id(each): each for each in schedules}
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(len(distinct)))
    yield from zip(distinct.values(), np.split(order, starts)[1:], strict=True)
