"""What a tracker's filtering leaves of fixes that are not stored yet, or wait to be evaluated.

A fix meets the same decision whenever it comes again: what was stored next to it when it had its turn stays
so, and what is left out has had its turn, too. So what comes after its turn, late or redelivered,
is judged by what is stored: by time it must not be within INTERVAL of anything, else it must have moved away
from what was evaluated last before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from service.filtering.passing import (
    INTERVAL,
    NONE,
    TIME_BASED,
    UNSTORED,
    Compared,
    passes_after,
    passing,
)
from service.fixes import Fixes
from service.store.neighbours import evaluated_before, stored_around, stored_just_before
from service.store.passed_over import turns_ended
from service.tracked_devices import TrackedDevices


@dataclass(frozen=True, slots=True)
class Filtered:
    """Masks over n fixes. late: came after their turn; stored, evaluated: what is to become of them."""

    late: NDArray[np.bool_]
    stored: NDArray[np.bool_]
    evaluated: NDArray[np.bool_]

    @property
    def ahead(self) -> NDArray[np.bool_]:
        """Those that have their turn now."""
        return ~self.late


def filtered(connection: Connection, devices: TrackedDevices, filtering: str, fixes: Fixes) -> Filtered:
    """Fixes of all kinds, no two of one device and time."""
    late = had_their_turn(connection, devices, fixes)
    if filtering == UNSTORED:
        return Filtered(late, np.zeros(len(fixes), np.bool_), ~late)
    stored = late_and_stored(connection, devices, filtering, fixes, late)
    at = np.flatnonzero(~late)
    slots, place = np.unique(fixes.slot[at], return_inverse=True)
    some = _compared(fixes, at)
    if filtering == TIME_BASED:
        times = _stored_last(connection, devices, slots, place, some.sample_time)
        of_late = np.flatnonzero(stored)
        among = of_late[np.isin(fixes.slot[of_late], slots)]
        np.maximum.at(times, np.searchsorted(slots, fixes.slot[among]), fixes.sample_time[among])
        before = Compared.at_times(times)
    else:
        last = devices.state.last_fixes(slots)
        never = np.full(len(slots), NONE)
        before = Compared(never, last.longitude, last.latitude, last.accuracy)
    stored[at] = passing(filtering, place, some, before)
    return Filtered(late, stored, ~late if filtering == TIME_BASED else stored & ~late)


def had_their_turn(connection: Connection, devices: TrackedDevices, fixes: Fixes) -> NDArray[np.bool_]:
    """Which come after others of their device that were measured later had their turn, stored or not."""
    slots, place = np.unique(fixes.slot, return_inverse=True)
    ended = turns_ended(connection, devices.key[slots])
    late: NDArray[np.bool_] = fixes.sample_time <= np.maximum(ended, devices.state.watermark[slots])[place]
    return late


def late_and_stored(
    connection: Connection,
    devices: TrackedDevices,
    filtering: str,
    fixes: Fixes,
    late: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Of those that are late the ones that are stored all the same."""
    stored = np.zeros(len(fixes), np.bool_)
    at = np.flatnonzero(late)
    if filtering == UNSTORED or not len(at):
        return stored
    some, keys = _compared(fixes, at), devices.key[fixes.slot[at]]
    if filtering == TIME_BASED:
        at = at[~stored_around(connection, keys, some.sample_time, INTERVAL)]
        slots, place = np.unique(fixes.slot[at], return_inverse=True)
        never = Compared.at_times(np.full(len(slots), NONE))
        stored[at] = passing(filtering, place, _compared(fixes, at), never)
        return stored
    before = Compared.at_times(np.full(len(at), NONE))
    for index, *values in evaluated_before(connection, keys, some.sample_time):
        before.longitude[index], before.latitude[index] = values[0], values[1]
        before.accuracy[index] = np.nan if values[2] is None else values[2]
    stored[at] = passes_after(filtering, some, before)
    return stored


def _stored_last(
    connection: Connection,
    devices: TrackedDevices,
    slots: NDArray[np.int32],
    place: NDArray[np.intp],
    sample_time: NDArray[np.int64],
) -> NDArray[np.int64]:
    """By device, when the last position was stored that was measured just before the first of these."""
    first = np.full(len(slots), np.iinfo(np.int64).max)
    np.minimum.at(first, place, sample_time)
    times = np.full(len(slots), NONE)
    for index, time in stored_just_before(connection, devices.key[slots], first, INTERVAL):
        times[index] = time
    return times


def _compared(fixes: Fixes, at: NDArray[np.intp]) -> Compared:
    return Compared(fixes.sample_time[at], fixes.longitude[at], fixes.latitude[at], fixes.accuracy[at])
