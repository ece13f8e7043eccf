"""What the evaluator remembers of each device: up to when it was evaluated, and what it is inside of."""

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from geofence.ranges import distinct
from geofence.state_columns import StateColumns

if TYPE_CHECKING:
    from geofence.evaluator import Evaluation

NEVER = int(np.iinfo(np.int64).min)
"""The watermark of a device that was never evaluated."""

WIDTH = 4
"""Geofences a device is inside of at once that the table has room for at first."""


class InsideState:
    """Watermark and inside set of devices, which are numbered 0, 1, 2, ... (their slots).

    The sets are rows of an int32 table, 0 where there is nothing: 16 bytes a device. What finds no room
    there is kept aside, and the table becomes wider when that is true of more than a few.
    """

    def __init__(self, devices: int = 0) -> None:
        self._count = 0
        self._watermark = np.empty(0, np.int64)
        self._table = np.empty((0, WIDTH), np.int32)
        self._aside: dict[int, NDArray[np.int32]] = {}
        self.grow(devices)

    @classmethod
    def of(cls, columns: StateColumns) -> Self:
        """The state that has these columns."""
        state = cls(len(columns))
        state.watermark[:] = columns.watermark
        while 16 * np.count_nonzero(columns.inside_count > state._table.shape[1]) > len(state):
            state._table = np.zeros((len(state._table), 2 * state._table.shape[1]), np.int32)
        state._put(np.flatnonzero(columns.inside_count), columns.inside_device, columns.inside_geofence)
        return state

    def snapshot(self) -> StateColumns:
        """All that is remembered, apart from this state, which may go on."""
        slot, geofence = self.pairs(np.arange(len(self)))
        pair = slot << 32 | geofence
        pair.sort()
        count = np.bincount(slot, minlength=len(self)).astype(np.int32)
        return StateColumns(self.watermark.copy(), count, pair.astype(np.int32))

    def __len__(self) -> int:
        return self._count

    @property
    def watermark(self) -> NDArray[np.int64]:
        """Of each device, the sample_time (ms) last evaluated, or NEVER."""
        return self._watermark[: self._count]

    def grow(self, devices: int) -> None:
        """Have room for at least so many devices; new ones were never evaluated and are inside of nothing."""
        if devices > len(self._watermark):
            more = max(devices, 2 * len(self._watermark), 64) - len(self._watermark)
            self._watermark = np.concatenate([self._watermark, np.full(more, NEVER)])
            self._table = np.concatenate([self._table, np.zeros((more, self._table.shape[1]), np.int32)])
        self._count = max(self._count, devices)

    def inside(self, slot: int) -> list[int]:
        """Keys of the geofences that the device is inside of, ascending."""
        return sorted(self.pairs(np.array([slot]))[1].tolist())

    def pairs(self, slots: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """What these devices are inside of: numbers into `slots`, and beside each the key of a geofence."""
        rows = self._table[slots]
        row, column = np.nonzero(rows)
        geofence = rows[row, column]
        if not self._aside:
            return row, geofence
        more = [(at, self._aside[slot]) for at, slot in enumerate(slots.tolist()) if slot in self._aside]
        return (
            np.concatenate([row, *(np.full(len(keys), at) for at, keys in more)]),
            np.concatenate([geofence, *(keys for _, keys in more)]),
        )

    def load(self, slots: NDArray[np.integer], geofences: NDArray[np.integer]) -> None:
        """Add pairs of a device and a geofence that it is inside of; nothing else of them changes."""
        devices = distinct(slots.astype(np.int64))
        row, geofence = self.pairs(devices)
        pair = np.concatenate([devices[row], slots.astype(np.int64)]) << 32
        pair |= np.concatenate([geofence, geofences])
        pair = distinct(pair)
        self._put(devices, pair >> 32, pair.astype(np.int32))

    def set_watermark(self, slots: NDArray[np.integer], times: NDArray[np.int64]) -> None:
        """Devices were evaluated up to these sample_times (ms)."""
        self._watermark[slots] = times

    def apply(self, evaluation: "Evaluation") -> None:
        """Take over what an evaluation found."""
        self.set_watermark(evaluation.devices, evaluation.watermarks)
        self._put(evaluation.changed, evaluation.inside_device, evaluation.inside_geofence)

    def discard_geofences(self, keys: NDArray[np.integer]) -> None:
        """No device is inside of these any more."""
        self._table[np.isin(self._table, keys)] = 0
        self._aside = {slot: kept[~np.isin(kept, keys)] for slot, kept in self._aside.items()}
        self._aside = {slot: kept for slot, kept in self._aside.items() if len(kept)}

    def clear_device(self, slot: int) -> None:
        """The device is as if it had never been evaluated."""
        self._watermark[slot] = NEVER
        self._table[slot] = 0
        self._aside.pop(slot, None)

    def _put(
        self, devices: NDArray[np.integer], slot: NDArray[np.integer], geofence: NDArray[np.int32]
    ) -> None:
        """Replace the inside sets of `devices` by these pairs, which come by slot."""
        self._table[devices] = 0
        if self._aside:
            for device in devices.tolist():
                self._aside.pop(device, None)
        first = np.searchsorted(slot, slot)
        column = np.arange(len(slot)) - first
        fits = column < self._table.shape[1]
        self._table[slot[fits], column[fits]] = geofence[fits]
        if fits.all():
            return
        aside, begins = np.unique(slot[~fits], return_index=True)
        for device, keys in zip(aside.tolist(), np.split(geofence[~fits], begins[1:]), strict=True):
            self._aside[device] = keys.copy()
        if 16 * len(self._aside) > self._count:
            self._widen()

    def _widen(self) -> None:
        """Double the table's width and take in what then finds room."""
        aside, self._aside = self._aside, {}
        self._table = np.concatenate([self._table, np.zeros_like(self._table)], axis=1)
        self.load(
            np.repeat(np.fromiter(aside, np.int64, len(aside)), [len(keys) for keys in aside.values()]),
            np.concatenate(list(aside.values())),
        )
