"""Evaluates again what is stored, each fix under the revision that it met."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from geofence.events import EVENT_TYPES, event_id
from geofence.fixes.fix_columns import FixColumns
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, pairs_of
from ingest.decoding.altitudes import altitudes_among
from service.checking.findings import Expiry, Findings
from service.checking.history import NONE, HistoryPart, StoredFixes
from service.checking.past_geofences import KeptChanges, TrackerPast
from service.checking.told import Beginning, StoredEvent, Told
from service.store.devices import Visit


class Reevaluation:
    """Takes the history part by part. Fixes that may have gone with others are left out."""

    def __init__(
        self,
        findings: Findings,
        kept: KeptChanges,
        trackers: dict[int, str],
        expiry: Expiry,
        *,
        unknown_altitude_inside: bool,
    ) -> None:
        self._findings = findings
        self._kept = kept
        self._trackers = trackers
        self._expiry = expiry
        self._pasts = {
            key: TrackerPast(key, kept, unknown_altitude_inside=unknown_altitude_inside) for key in trackers
        }
        self._until: dict[int, int] = {}
        self._begin()

    def take(self, part: HistoryPart) -> Told | None:
        """Of the devices of the part; None where the rest of its device is still to come."""
        if part.begins:
            self._until.clear()
        if part.begins or self._began_at != self._expiry.before:
            self._begin()
        keys = np.array([each.key for each in part.devices], np.int64)
        tracker_keys = np.array([each.tracker_key for each in part.devices], np.int64)
        for key in np.unique(tracker_keys).tolist():
            if key in self._pasts:
                self._evaluate(part, keys, np.flatnonzero(tracker_keys == key), self._pasts[key], key)
        if not part.ends:
            return None
        for key, state in self._states.items():
            past = self._pasts[key]
            past.end_state(state, self._reached[key], past.newest)
            self._visits += _visits(state, keys)
        return Told(part.devices, self._events, self._visits, self._beginnings, self._until)

    def _begin(self) -> None:
        self._began_at = self._expiry.before
        self._states: dict[int, InsideState] = {}
        self._reached: dict[int, int] = {}
        self._events: list[StoredEvent] = []
        self._visits: list[Visit] = []
        self._beginnings: dict[int, Beginning] = {}

    def _evaluate(
        self,
        part: HistoryPart,
        keys: NDArray[np.int64],
        slots: NDArray[np.intp],
        past: TrackerPast,
        tracker_key: int,
    ) -> None:
        """Those of the devices in these slots, which are of one tracker."""
        fixes = part.fixes
        counts = np.isin(fixes.device_key, keys[slots]) & (fixes.revision != NONE) & ~fixes.late
        if self._expiry.before is not None:
            counts &= fixes.sample_time >= self._expiry.before
        fixes = fixes.take(counts)
        self._note_beginnings(fixes)
        self._findings.proved["evaluated positions"] += len(fixes)
        ids = [each.device_id for each in part.devices]
        state = self._states.setdefault(tracker_key, InsideState(len(keys), remembering_fixes=True))
        reached = self._reached.setdefault(tracker_key, 0)
        for in_force, stretch in _stretches(fixes, past.in_force(fixes.revision)):
            past.end_state(state, reached, in_force)
            past.move(in_force)
            reached = in_force
            columns = _columns(ids, stretch, np.searchsorted(keys, stretch.device_key).astype(np.int32))
            evaluation = past.evaluate(columns, state)
            self._events += self._told(part, stretch, evaluation, tracker_key)
            state.apply(evaluation)
        self._reached[tracker_key] = reached

    def _note_beginnings(self, fixes: StoredFixes) -> None:
        first = np.flatnonzero(np.diff(fixes.device_key, prepend=-1))
        last = np.append(first[1:], len(fixes)) - 1
        for start, end in zip(first.tolist(), last.tolist(), strict=False):
            key, before = int(fixes.device_key[start]), self._beginnings
            time = before[key].sample_time if key in before else int(fixes.sample_time[start])
            before[key] = Beginning(time, int(fixes.revision[end]))
            self._until[key] = int(fixes.sample_time[end])

    def _told(
        self, part: HistoryPart, fixes: StoredFixes, evaluation: Evaluation, tracker_key: int
    ) -> Iterator[StoredEvent]:
        columns = zip(
            evaluation.position.tolist(),
            evaluation.device.tolist(),
            evaluation.geofence.tolist(),
            evaluation.kind.tolist(),
            evaluation.time.tolist(),
            evaluation.ordinal.tolist(),
            evaluation.longitude.tolist(),
            evaluation.latitude.tolist(),
            evaluation.interpolated.tolist(),
            strict=True,
        )
        tracker = self._trackers[tracker_key]
        for at, slot, geofence_key, kind, time, ordinal, longitude, latitude, interpolated in columns:
            device, name, event_type = part.devices[slot], self._kept.names[geofence_key], EVENT_TYPES[kind]
            accuracy = float(fixes.accuracy[at])
            yield StoredEvent(
                event_id(
                    tracker, name.collection, device.device_id, name.geofence_id, event_type, time, ordinal
                ),
                tracker_key,
                device.key,
                geofence_key,
                event_type,
                name.collection,
                name.geofence_id,
                device.device_id,
                time,
                int(fixes.received_time[at]),
                longitude,
                latitude,
                None if np.isnan(accuracy) else accuracy,
                str(fixes.properties[at]),
                int(fixes.revision[at]),
                interpolated,
            )


def _stretches(fixes: StoredFixes, in_force: NDArray[np.intp]) -> Iterator[tuple[int, StoredFixes]]:
    """Fixes that met the same geofences, after those that met earlier ones."""
    order = np.lexsort((fixes.sample_time, in_force))
    in_force = in_force[order]
    start = 0
    for end in (np.flatnonzero(np.diff(in_force, append=-1)) + 1).tolist():
        yield int(in_force[start]), fixes.take(order[start:end])
        start = end


def _columns(device_ids: Sequence[str], fixes: StoredFixes, slot: NDArray[np.int32]) -> FixColumns:
    return FixColumns(
        slot,
        device_ids,
        fixes.sample_time,
        fixes.longitude,
        fixes.latitude,
        fixes.accuracy,
        lambda at: altitudes_among(fixes.properties[at]),
        lambda at: fixes.properties[at],
    )


def _visits(state: InsideState, keys: NDArray[np.int64]) -> Iterator[Visit]:
    slot, geofence = state.pairs(np.arange(len(keys)))
    records, known = state.visits.of(pairs_of(slot.astype(np.int32), geofence))
    columns = zip(
        keys[slot].tolist(),
        geofence.tolist(),
        known.tolist(),
        records.entered.tolist(),
        records.outside_since.tolist(),
        records.dwelled.tolist(),
        strict=True,
    )
    for device_key, geofence_key, remembered, entered, outside_since, dwelled in columns:
        if remembered:
            since = None if outside_since == NEVER else outside_since
            yield Visit(device_key, geofence_key, entered, since, dwelled)
        else:
            yield Visit(device_key, geofence_key)
