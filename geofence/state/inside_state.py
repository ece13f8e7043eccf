"""What the evaluator remembers of each device: up to when it was evaluated, and what it is inside of.

Of some also the visits under way, and the fix that was evaluated last.
"""

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.ranges import distinct, ranges
from geofence.events import EXIT_KIND
from geofence.fixes.last_fixes import LastFixes
from geofence.state.remembered_visits import RememberedVisits
from geofence.state.state_columns import StateColumns
from geofence.state.visit_records import NEVER, pairs_of

if TYPE_CHECKING:
    from geofence.state.evaluation import Evaluation

WIDTH = 4
"""Geofences a device is inside of at once that the table has room for at first."""


class InsideState:
    """Watermark and inside set of devices, which are numbered 0, 1, 2, ... (their slots).

    The sets are rows of an int32 table, 0 where there is nothing: 16 bytes a device. What finds no room
    there is kept aside, and the table becomes wider when that is true of more than a few. `visits` are the
    records of those pairs that have one. Last fixes take 32 bytes a device, from when there is the first or,
    where paths may begin at them later only, from the start (`remembering_fixes`).
    """

    def __init__(self, devices: int = 0, *, remembering_fixes: bool = False) -> None:
        self._count = 0
        self._watermark = np.empty(0, np.int64)
        self._table = np.empty((0, WIDTH), np.int32)
        self._aside: dict[int, NDArray[np.int32]] = {}
        self._last_fixes = LastFixes.none(0) if remembering_fixes else None
        self.visits = RememberedVisits()
        self.grow(devices)

    @classmethod
    def of(cls, columns: StateColumns) -> Self:
        """The state that has these columns."""
        state = cls(len(columns))
        state.watermark[:] = columns.watermark
        while 16 * np.count_nonzero(columns.inside_count > state._table.shape[1]) > len(state):
            state._table = np.zeros((len(state._table), 2 * state._table.shape[1]), np.int32)
        state._put(np.flatnonzero(columns.inside_count), columns.inside_device, columns.inside_geofence)
        state.visits.put(columns.visits)
        if len(columns.last_fixes):
            state.set_last_fixes(np.arange(len(columns)), columns.last_fixes)
        return state

    def snapshot(self) -> StateColumns:
        """All that is remembered, apart from this state, which may go on."""
        slot, geofence = self.pairs(np.arange(len(self)))
        pair = slot << 32 | geofence
        pair.sort()
        count = np.bincount(slot, minlength=len(self)).astype(np.int32)
        remembered = np.arange(len(self) if self.remembers_fixes else 0)
        return StateColumns(
            self.watermark.copy(), count, pair.astype(np.int32), self.visits.all, self.last_fixes(remembered)
        )

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
            if self._last_fixes is not None:
                self._last_fixes = LastFixes.joined([self._last_fixes, LastFixes.none(more)])
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

    @property
    def remembers_fixes(self) -> bool:
        """Whether last fixes are kept, whatever is watched now."""
        return self._last_fixes is not None

    def last_fixes(self, slots: NDArray[np.integer]) -> LastFixes:
        """The fixes at which paths to the next ones of these devices begin."""
        return LastFixes.none(len(slots)) if self._last_fixes is None else self._last_fixes.take(slots)

    def set_last_fixes(self, slots: NDArray[np.integer], fixes: LastFixes) -> None:
        """Paths of these devices begin at these fixes, which were the last to be evaluated."""
        if self._last_fixes is None:
            self._last_fixes = LastFixes.none(len(self._watermark))
        self._last_fixes.put(slots, fixes)

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
        if evaluation.last_fixes is not None:
            self.set_last_fixes(evaluation.devices, evaluation.last_fixes)
        if len(self.visits):
            left = evaluation.kind == EXIT_KIND
            self.visits.discard(pairs_of(evaluation.device[left], evaluation.geofence[left]))
        if len(evaluation.records):
            self.visits.put(evaluation.records)
        self._put(evaluation.changed, evaluation.inside_device, evaluation.inside_geofence)

    def discard_geofences(self, keys: NDArray[np.integer]) -> None:
        """No device is inside of these any more."""
        self._table[np.isin(self._table, keys)] = 0
        self._aside = {slot: kept[~np.isin(kept, keys)] for slot, kept in self._aside.items()}
        self._aside = {slot: kept for slot, kept in self._aside.items() if len(kept)}
        self.visits.discard_geofences(keys)

    def clear_device(self, slot: int) -> None:
        """The device is as if it had never been evaluated."""
        self._watermark[slot] = NEVER
        self._table[slot] = 0
        self._aside.pop(slot, None)
        self.visits.clear_device(slot)
        if self._last_fixes is not None:
            self._last_fixes.put(np.array([slot]), LastFixes.none(1))

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
        """Double the table's width until few are kept aside, and take in what then finds room."""
        aside, self._aside = self._aside, {}
        beyond = np.array([len(keys) for keys in aside.values()])
        before = width = self._table.shape[1]
        while 16 * np.count_nonzero(before + beyond > width) > self._count:
            width *= 2
        more = np.zeros((len(self._table), width - before), np.int32)
        self._table = np.concatenate([self._table, more], axis=1)
        self.load(
            np.repeat(np.fromiter(aside, np.int64, len(aside)), beyond), np.concatenate(list(aside.values()))
        )
