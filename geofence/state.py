"""What the evaluator remembers of each device: up to when it was evaluated, and what it is inside of."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geofence.ranges import ranges

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

    def columns(self, devices: NDArray[np.integer]) -> tuple[NDArray[np.integer], ...]:
        """What these devices, each once, are inside of, as the compiled kernel reads it.

        The table and its width; then places in `devices`, ascending, of those of which more is kept aside,
        where the keys of each of these begin and the last ones end, and the keys.
        """
        width = np.array([self._table.shape[1]])
        more: list[tuple[int, NDArray[np.int32]]] = []
        if self._aside:
            found = map(self._aside.get, devices.tolist())
            more = [(at, keys) for at, keys in enumerate(found) if keys is not None]
        first = np.cumsum([0, *(len(keys) for _, keys in more)])
        keys = np.concatenate([np.empty(0, np.int32), *(keys for _, keys in more)])
        return self._table.ravel(), width, np.array([at for at, _ in more], np.int64), first, keys

    def load(self, slots: NDArray[np.integer], geofences: NDArray[np.integer]) -> None:
        """Add pairs of a device and a geofence that it is inside of; nothing else of them changes."""
        devices = np.unique(slots)
        row, geofence = self.pairs(devices)
        pair = np.concatenate([devices[row].astype(np.int64), slots.astype(np.int64)]) << 32
        pair |= np.concatenate([geofence, geofences])
        pair = np.unique(pair)
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
        width = self._table.shape[1]
        begins = np.ones(len(slot), np.bool_)
        begins[1:] = slot[1:] != slot[:-1]
        first = np.flatnonzero(begins)
        count = np.append(first[1:], len(slot)) - first
        row, fits = slot[first].astype(np.int64), np.minimum(count, width)
        places = ranges(row * width, fits)
        if len(places) == len(slot):
            self._table.reshape(-1)[places] = geofence
            return
        self._table.reshape(-1)[places] = geofence[ranges(first, fits)]
        for group in np.flatnonzero(count > width).tolist():
            end = first[group] + count[group]
            self._aside[int(row[group])] = geofence[first[group] + width : end].copy()
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
