"""Exported fixes evaluated again, each under the revision that it met: the events that were stored.

The fixes of a device met revisions that never went back, in the order of their sample_time. So all fixes that
met one state of the geofences are evaluated together, by sample_time, before any that met a later one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.events import EVENT_TYPES, event_id
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from service.found_events import EVENT, found_events
from service.native_lines import LINES, native_lines
from service.offline_evaluation import BATCH, ranks
from service.rewinding.fixes import ExportedFixes, RewoundFixes
from service.rewinding.past_geofences import PastGeofences
from service.rewinding.revisions import Change, ExportedRevisions, LinkChange

Progress = Callable[[int], object]
"""Told how many more fixes are evaluated."""

REWOUND = np.dtype([("tracker", np.int32), ("collection", np.int32), *EVENT.descr])
"""A row of EVENT with the tracker and the collection; these, the device and the geofence by their numbers."""


@dataclass(frozen=True, slots=True)
class RewoundEvents:
    """Rows of REWOUND by time, device id, share, kind, geofence id, collection, tracker.

    `texts` are the names by number; `repeated` counts fixes that were not the first of their device and time.
    """

    rows: NDArray[np.void]
    texts: list[str]
    repeated: int

    def __len__(self) -> int:
        return len(self.rows)


def rewound(
    fixes: ExportedFixes,
    revisions: ExportedRevisions,
    progress: Progress = lambda _: None,
    *,
    unknown_altitude_inside: bool = False,
) -> RewoundEvents:
    """The events of the fixes of all trackers.

    `unknown_altitude_inside`: whether a fix without altitude was within every band of altitude.
    """
    texts = _Texts()
    found = [np.empty(0, REWOUND)]
    repeated = 0
    for tracker, of_tracker in fixes.trackers.items():
        geofences = PastGeofences(unknown_altitude_inside=unknown_altitude_inside)
        rewinding = _Rewinding(tracker, of_tracker.device_ids, texts, geofences)
        for batch, changes in _stretches(of_tracker, _changes_for(tracker, revisions.changes)):
            rows, late = rewinding.evaluate(batch, changes)
            found.append(rows)
            repeated += late
            progress(len(batch))
    rows = np.concatenate(found)
    return RewoundEvents(rows[_order(rows, list(texts))], list(texts), repeated)


def event_lines(events: RewoundEvents) -> Iterator[bytes]:
    """The native event of each row, a line each, many lines at once."""
    for start in range(0, len(events), LINES):
        rows = events.rows[start : start + LINES]
        trackers, collections, device_ids, geofence_ids = (
            [events.texts[number] for number in rows[name].tolist()] for name in NAMES
        )
        types = [EVENT_TYPES[kind] for kind in rows["kind"].tolist()]
        times, ordinals = rows["time"].tolist(), rows["ordinal"].tolist()
        yield native_lines(
            map(event_id, trackers, collections, device_ids, geofence_ids, types, times, ordinals),
            types,
            trackers,
            collections,
            device_ids,
            geofence_ids,
            rows,
        )


NAMES = ("tracker", "collection", "device", "geofence")


class _Texts(dict[str, int]):
    """The number of each text, as they come."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


def _changes_for(tracker: str, changes: Sequence[Change]) -> list[Change]:
    """The changes that a tracker can have met: its links, and the geofences of what it ever watched."""
    links = [change for change in changes if isinstance(change, LinkChange) and change.tracker == tracker]
    watched = {link.collection for link in links}
    return [
        change
        for change in changes
        if change.collection in watched and (not isinstance(change, LinkChange) or change.tracker == tracker)
    ]


def _stretches(
    fixes: RewoundFixes, changes: Sequence[Change]
) -> Iterator[tuple[RewoundFixes, Sequence[Change]]]:
    """Batches of fixes that met the same geofences, and what changed before each."""
    revisions = np.array([change.revision for change in changes], np.int64)
    in_force = np.searchsorted(revisions, fixes.revision, side="right")
    order = np.lexsort((fixes.sample_time, in_force))
    in_force = in_force[order]
    ends = np.flatnonzero(np.diff(in_force, append=-1)) + 1
    moved = start = 0
    for end in ends.tolist():
        until = int(in_force[start])
        for first in range(start, end, BATCH):
            yield fixes.take(order[first : min(first + BATCH, end)]), changes[moved:until]
            moved = until
        start = end


class _Rewinding:
    """One tracker on its way through the past."""

    def __init__(
        self, tracker: str, device_ids: Sequence[str], texts: _Texts, geofences: PastGeofences
    ) -> None:
        self._tracker = texts[tracker]
        self._devices = np.array([texts[each] for each in device_ids], np.int32)
        self._texts = texts
        self._geofences = geofences
        self._state = InsideState(len(device_ids), remembering_fixes=True)

    def evaluate(self, fixes: RewoundFixes, changes: Sequence[Change]) -> tuple[NDArray[np.void], int]:
        """Rows of REWOUND of these fixes after these changes, and how many of the fixes did not count."""
        self._geofences.move(changes, self._state)
        evaluation = self._geofences.evaluate(fixes, self._state)
        self._state.apply(evaluation)
        return self._rows(evaluation), int(evaluation.late.sum())

    def _rows(self, evaluation: Evaluation) -> NDArray[np.void]:
        names = [self._geofences.names[key] for key in evaluation.geofence.tolist()]
        rows = found_events(evaluation, REWOUND)
        rows["tracker"] = self._tracker
        rows["collection"] = [self._texts[name.collection] for name in names]
        rows["device"] = self._devices[evaluation.device]
        rows["geofence"] = [self._texts[name.geofence_id] for name in names]
        return rows


def _order(rows: NDArray[np.void], texts: list[str]) -> NDArray[np.int64]:
    rank = ranks(texts)
    tracker, collection, device, geofence = (rank[rows[name]] for name in NAMES)
    return np.lexsort((tracker, collection, geofence, rows["kind"], rows["share"], device, rows["time"]))
