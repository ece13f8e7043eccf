"""The visits under way that are remembered, however many: what changes them costs what changes.

put -> recent (few, sorted anew each time) -> the bulk (sorted), in which what is forgotten is marked
"""

import numpy as np
from numpy.typing import NDArray

from geofence.state.visit_records import NO_VISITS, VisitRecords

Pairs = NDArray[np.int64]
Flags = NDArray[np.bool_]

RECENT = 1024
"""Visits beside the bulk, or forgotten in it, before all are sorted anew; or one for each 16 in the bulk."""


class RememberedVisits:
    """Records of visits by pair of device and geofence. A pair in the bulk, marked or not, is not recent."""

    def __init__(self, recent: int = RECENT) -> None:
        self._most_recent = recent
        self._bulk, self._recent = _Sorted(NO_VISITS), _Sorted(NO_VISITS)

    def __len__(self) -> int:
        return len(self._bulk) + len(self._recent)

    @property
    def all(self) -> VisitRecords:
        """By device, then geofence."""
        return _Sorted(VisitRecords.joined([self._bulk.kept, self._recent.kept])).records

    def of(self, pair: Pairs) -> tuple[VisitRecords, Flags]:
        """The records of pairs (see `pairs_of`), and which have one: that of the others means nothing."""
        found, known = VisitRecords.blank(len(pair)), np.zeros(len(pair), np.bool_)
        for part in (self._bulk, self._recent):
            place, there = part.find(pair)
            found.put(there, part.records.take(place[there]))
            known |= there
        return found, known

    def put(self, records: VisitRecords) -> None:
        """Records of as many pairs, new or in the place of those that these had."""
        others = records
        for part in (self._bulk, self._recent):
            others = others.take(~part.replace(others))
        if len(others):
            self._recent = _Sorted(VisitRecords.joined([self._recent.kept, others]))
            self._arrange()

    def discard(self, pair: Pairs) -> None:
        """Forget pairs; one that is not there is no error."""
        for part in (self._bulk, self._recent):
            place, there = part.find(pair)
            part.forget(place[there])
        self._arrange()

    def discard_geofences(self, keys: NDArray[np.integer]) -> None:
        """Forget the visits in these."""
        for part in (self._bulk, self._recent):
            part.forget(np.flatnonzero(np.isin(part.records.geofence, keys)))
        self._arrange()

    def clear_device(self, slot: int) -> None:
        """Forget the visits of a device."""
        for part in (self._bulk, self._recent):
            part.forget(np.flatnonzero(part.records.device == slot))
        self._arrange()

    def _arrange(self) -> None:
        rows = len(self._bulk.records)
        if max(len(self._recent.records), rows - len(self._bulk)) > max(self._most_recent, rows // 16):
            self._bulk, self._recent = _Sorted(self.all), _Sorted(NO_VISITS)


class _Sorted:
    """Records by pair, of which some are forgotten."""

    def __init__(self, records: VisitRecords) -> None:
        order = np.argsort(records.pair)
        self.records, self._pair = records.take(order), records.pair[order]
        self._known = np.ones(len(order), np.bool_)
        self._count = len(order)

    def __len__(self) -> int:
        return self._count

    @property
    def kept(self) -> VisitRecords:
        """Those that are not forgotten."""
        return self.records if self._count == len(self._pair) else self.records.take(self._known)

    def find(self, pair: Pairs) -> tuple[NDArray[np.intp], Flags]:
        """The place of each pair, and whether it is there."""
        place, there = self._place(pair)
        there[there] = self._known[place[there]]
        return place, there

    def replace(self, records: VisitRecords) -> Flags:
        """Which of the records are now in the place of those of the same pair, be that forgotten."""
        place, there = self._place(records.pair)
        self.records.put(place[there], records.take(there))
        self._known[place[there]] = True
        self._count = int(np.count_nonzero(self._known))
        return there

    def forget(self, place: NDArray[np.intp]) -> None:
        """Records that are no longer known."""
        self._known[place] = False
        self._count = int(np.count_nonzero(self._known))

    def _place(self, pair: Pairs) -> tuple[NDArray[np.intp], Flags]:
        place = np.searchsorted(self._pair, pair)
        there: Flags = place < len(self._pair)
        there[there] = self._pair[place[there]] == pair[there]
        return place, there
