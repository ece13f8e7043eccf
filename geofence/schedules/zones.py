"""Time zones by their IANA names, and what their clocks say.

They come from the pinned tzdata package: the machine's own may be older or newer, or not there.
"""

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

MINUTE = 60_000
"""Milliseconds."""

MILLISECOND = timedelta(milliseconds=1)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in _names()


def utc(zone: str, minutes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Milliseconds since the epoch of local times: minutes since 1970-01-01T00:00 on the zone's clock.

    A time that comes twice is the first of the two; one that a clock put forward leaves out is read with the
    offset before (RFC 5545, section 3.3.5; the `fold` of PEP 495 is 0). The year is 2 to 9998.
    """
    epoch = datetime(1970, 1, 1, tzinfo=_zone(zone))
    offsets = [(epoch + timedelta(minutes=minute)).utcoffset() for minute in minutes.tolist()]
    return minutes * MINUTE - np.array(
        [(offset or timedelta()) // MILLISECOND for offset in offsets], np.int64
    )


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
