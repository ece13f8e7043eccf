"""Time zones by their IANA names, and what their clocks say.

They come from the pinned tzdata package: the machine's own may be older or newer, or not there.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geofence.schedules.calendar import DAY

MINUTE = 60_000
"""Milliseconds."""

MILLISECOND = timedelta(milliseconds=1)

BLOCK = 64
"""Days whose offsets are found at once."""


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in _names()


def utc(zone: str, minutes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Milliseconds since the epoch of local times: minutes since 1970-01-01T00:00 on the zone's clock.

    A time that comes twice is the first of the two; one that a clock put forward leaves out is read with the
    offset before (RFC 5545, section 3.3.5; the `fold` of PEP 495 is 0). The year is 2 to 9998.
    """
    if not len(minutes):
        return minutes
    day = minutes // DAY
    first = int(day.min())
    offsets = _midnights(zone, first, int(day.max()) + 1)
    at_begin, at_end = offsets[day - first], offsets[day - first + 1]
    offset = at_begin.copy()
    on_change = np.flatnonzero(at_begin != at_end)  # no clock changes twice within days
    offset[on_change] = _offsets(zone, minutes[on_change].tolist())
    return minutes * MINUTE - offset


def _midnights(zone: str, first: int, last: int) -> NDArray[np.int64]:
    """Offsets (ms) at the beginning of these days."""
    begin = first // BLOCK
    blocks = [_block(zone, number) for number in range(begin, last // BLOCK + 1)]
    return np.concatenate(blocks)[first - begin * BLOCK : last - begin * BLOCK + 1]


@lru_cache(maxsize=4096)
def _block(zone: str, number: int) -> NDArray[np.int64]:
    return np.array(_offsets(zone, range(number * BLOCK * DAY, (number + 1) * BLOCK * DAY, DAY)), np.int64)


def _offsets(zone: str, minutes: Iterable[int]) -> list[int]:
    """How much the clock is ahead of UTC (ms) at these local times."""
    epoch = datetime(1970, 1, 1, tzinfo=_zone(zone))
    offsets = ((epoch + timedelta(minutes=minute)).utcoffset() for minute in minutes)
    return [(offset or timedelta()) // MILLISECOND for offset in offsets]


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
