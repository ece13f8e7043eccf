"""The numbers of fixes that are evaluated together.

All devices are evaluated at once. Their fixes, by device and sample_time, are numbered with one free
number before each device, which stands for its past: the fix evaluated last, and what it was inside of then:

    number     0     1     2     3     4     5     6
    what       A's   A     A     A     B's   B     B
               past  10:00 10:05 10:10 past  10:02 10:04

So the fix before number n of the same device has the number n - 1, be it in the past.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.fix_columns import FixColumns

LOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class NumberedFixes:
    """The numbers of those of n fixes that are evaluated, of k devices.

    `late` (n) marks fixes that are not: at or before their device's watermark, or not the first of their
    device and sample_time. `number` (n) is that of each fix, -1 where it is late. `fix` is the fix of each
    number, -1 for a past, and behind the last number once more -1. `past` (k) are the numbers of pasts,
    `devices` (k) their devices, ascending.
    """

    late: NDArray[np.bool_]
    number: NDArray[np.int64]
    fix: NDArray[np.int64]
    past: NDArray[np.int64]
    devices: NDArray[np.int32]

    @staticmethod
    def of(fixes: FixColumns, watermark: NDArray[np.int64]) -> "NumberedFixes":
        """The numbers of fixes in any order, those of one device and sample_time in theirs.

        `watermark` (ms, by device) is the sample_time up to which each was evaluated before.
        """
        device, sample_time = fixes.device, fixes.sample_time
        order = _by_device_and_time(device, sample_time)
        owner = device[order]
        begins = _begins(owner)
        in_time = _in_time(owner, begins, sample_time[order], watermark)
        late = np.zeros(len(device), np.bool_)
        if not in_time.all():
            late[order[~in_time]] = True
            order, owner = order[in_time], owner[in_time]
            begins = _begins(owner)
        number = np.arange(len(order)) + np.cumsum(begins)
        past = number[begins] - 1

        fix = np.full(len(order) + len(past) + 1, -1)
        fix[number] = order
        number_of_fix = np.full(len(device), -1)
        number_of_fix[order] = number
        return NumberedFixes(late, number_of_fix, fix, past, owner[begins])

    @property
    def last(self) -> NDArray[np.int64]:
        """The number of each device's last fix."""
        last = np.empty_like(self.past)
        last[:-1], last[-1:] = self.past[1:] - 1, len(self.fix) - 2
        return last

    def place(self) -> NDArray[np.int64]:
        """Of each number, which of `devices` it belongs to."""
        return np.cumsum(self.fix[:-1] < 0) - 1

    def time(self, fixes: FixColumns, watermark: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sample_time (ms) of each number; a past's is the watermark, NEVER if there was no fix."""
        time = fixes.sample_time[self.fix[:-1]]
        time[self.past] = watermark[self.devices]
        return time


def _by_device_and_time(device: NDArray[np.int32], sample_time: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stable order of fixes by device, then sample_time."""
    if (sample_time[1:] >= sample_time[:-1]).all():
        return np.sort(device.astype(np.int64) << 32 | np.arange(len(device))) & LOW
    return np.lexsort((sample_time, device))


def _begins(device: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which fixes, by device, are the first of theirs."""
    begins = np.ones(len(device), np.bool_)
    begins[1:] = device[1:] != device[:-1]
    return begins


def _in_time(
    device: NDArray[np.int32],
    begins: NDArray[np.bool_],
    sample_time: NDArray[np.int64],
    watermark: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which fixes, by device and sample_time, are past their device's watermark and first of their time.

    `begins` says which are the first of a device.
    """
    in_time = sample_time > watermark[device]
    in_time[1:] &= begins[1:] | (sample_time[1:] != sample_time[:-1])
    return in_time
