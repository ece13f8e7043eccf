"""How a tracker filters the positions of a device, as Amazon Location calls it.

https://docs.aws.amazon.com/location/latest/APIReference/API_WaypointTracking_CreateTracker.html

A position is compared with the one of its device before it, in the order of sample_time, that passed: by
time with the last that was stored, else with the last that was evaluated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.earth.ellipsoid import WGS84

TIME_BASED: Final = "TimeBased"
DISTANCE_BASED: Final = "DistanceBased"
ACCURACY_BASED: Final = "AccuracyBased"
FILTERINGS: Final = (TIME_BASED, DISTANCE_BASED, ACCURACY_BASED)
"""A tracker may also have none: then each position is stored and evaluated."""

UNSTORED: Final = "Unstored"
"""Of a tracker that is a part of a collection: each position is evaluated, none is stored beyond that."""

INTERVAL: Final = 30_000
"""Milliseconds: TimeBased stores a device's position when the one stored before is at least as old."""
DISTANCE: Final = 30.0
"""Metres, on the ellipsoid: DistanceBased lets pass what has moved at least as far."""
NONE: Final = np.iinfo(np.int64).min
"""The sample_time of a fix that there is not: INTERVAL before all others."""


@dataclass(frozen=True, slots=True)
class Compared(Table):
    """What of n fixes decides: ms, degrees, metres (NaN unknown). Where there is none, sample_time is NONE or
    longitude is NaN."""

    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @classmethod
    def at_times(cls, sample_time: NDArray[np.int64]) -> "Compared":
        """Of which nothing but the time is known."""
        return cls(sample_time, *(np.full(len(sample_time), np.nan) for _ in range(3)))


def passing(filtering: str, place: NDArray[np.intp], fixes: Compared, before: Compared) -> NDArray[np.bool_]:
    """Which of n fixes, no two of one device and time, pass.

    place (n): whose each is. before: by place, what the first of each is compared with.
    """
    passes = np.zeros(len(fixes), np.bool_)
    last = before.take(np.arange(len(before)))
    for turn in _turns(place, fixes.sample_time):
        some, of = fixes.take(turn), place[turn]
        passed = passes_after(filtering, some, last.take(of))
        passes[turn] = passed
        last.put(of[passed], some.take(passed))
    return passes


def passes_after(filtering: str, fixes: Compared, before: Compared) -> NDArray[np.bool_]:
    """Which fixes pass where the ones beside them passed before."""
    if filtering == TIME_BASED:
        passes: NDArray[np.bool_] = fixes.sample_time >= before.sample_time + INTERVAL
        return passes
    passes = np.isnan(before.longitude)
    known = np.flatnonzero(~passes)
    new, old = fixes.take(known), before.take(known)
    moved = WGS84.inv(old.longitude, old.latitude, new.longitude, new.latitude)[2]
    if filtering == DISTANCE_BASED:
        passes[known] = moved >= DISTANCE
    else:
        # what does not say its accuracy is exact: see BatchUpdateDevicePosition in Amazon's reference
        passes[known] = moved >= np.nan_to_num(old.accuracy) + np.nan_to_num(new.accuracy)
    return passes


def _turns(place: NDArray[np.intp], sample_time: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Numbers of the first fixes, one of each place, then of the second ones, and so on."""
    order = np.lexsort((sample_time, place))
    of = place[order]
    begins = np.ones(len(of), np.bool_)
    begins[1:] = of[1:] != of[:-1]
    start = np.flatnonzero(begins)
    turn = np.arange(len(of)) - np.repeat(start, np.diff(np.append(start, len(of))))
    by_turn = order[np.argsort(turn, kind="stable")]
    yield from np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]) if len(of) else ()
