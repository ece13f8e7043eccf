"""Evaluating: fixes in order against the geofences in force.

Events, inside sets and watermarks are written in the same commit.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.events import DWELL_KIND, ENTER_KIND, EVENT_TYPES, EXIT_KIND, event_id
from geofence.fixes.fix_columns import FixColumns
from geofence.state.evaluation import Evaluation
from geofence.state.visit_records import NEVER
from ingest.decoding.altitudes import altitudes_among
from service.filtering.filtered import Filtered
from service.fixes import Fixes
from service.live_geofences import LiveGeofences
from service.store.devices import Visit, change_inside
from service.store.events import insert_events
from service.store.passed_over import put_passed_over
from service.tracked_devices import TrackedDevices


class PassedOver(NamedTuple):
    """Devices of which fixes have had their turn that are not stored.

    until: by slot, sample_time (ms) of the last that had its turn. all_stored: of those that were evaluated.
    """

    slot: NDArray[np.int32]
    until: NDArray[np.int64]
    all_stored: bool


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is still to be written. late: mask over the fixes of those that came after their turn.

    watermark: sample_time (ms) last evaluated of the devices in `slot`. event_rows: in the order of telling.
    revision: of the geofences that the fixes met. passed_over: where not all fixes are stored.
    """

    late: NDArray[np.bool_]
    event_rows: list[dict[str, object]]
    evaluation: Evaluation
    revision: int
    passed_over: PassedOver | None = None

    @property
    def events(self) -> Counter[str]:
        """How many, by type."""
        return Counter(str(row["event_type"]) for row in self.event_rows)

    @property
    def slot(self) -> NDArray[np.int32]:
        return self.evaluation.devices

    @property
    def watermark(self) -> NDArray[np.int64]:
        return self.evaluation.watermarks


def evaluate_fixes(
    live: LiveGeofences,
    devices: TrackedDevices,
    fixes: Fixes,
    committed_time: int,
) -> Evaluated:
    """Evaluates fixes, of any order, by sample_time; changes nothing."""
    columns = FixColumns(
        fixes.slot,
        devices.ids,
        fixes.sample_time,
        fixes.longitude,
        fixes.latitude,
        fixes.accuracy,
        lambda at: _altitudes(fixes, at),
        lambda at: fixes.properties[at],
    )
    evaluation = live.evaluate(devices.tracker_key, columns, devices.state)
    rows = _event_rows(live, devices, fixes, evaluation, committed_time)
    return Evaluated(evaluation.late, rows, evaluation, live.revision)


def evaluate_filtered(
    live: LiveGeofences,
    devices: TrackedDevices,
    fixes: Fixes,
    left: Filtered,
    committed_time: int,
) -> Evaluated:
    """The same where not all fixes are evaluated and stored. late: mask over those that are stored."""
    evaluated = evaluate_fixes(live, devices, fixes.take(left.evaluated), committed_time)
    missing = left.ahead & ~left.stored
    slot = np.unique(fixes.slot[missing])
    counted = fixes.take(left.ahead & np.isin(fixes.slot, slot))
    until = np.full(len(slot), NEVER)
    np.maximum.at(until, np.searchsorted(slot, counted.slot), counted.sample_time)
    passed_over = PassedOver(slot, until, all_stored=not (missing & left.evaluated).any())
    return replace(evaluated, late=left.late[left.stored], passed_over=passed_over)


def write_evaluated(
    connection: Connection, devices: TrackedDevices, evaluated: Evaluated, channels: Sequence[str]
) -> None:
    """Writes inside sets and events. To be called last: events are written in turns, up to the commit."""
    _write_inside(connection, devices, evaluated.evaluation)
    devices.state.apply(evaluated.evaluation)
    if evaluated.passed_over is not None:
        _write_passed_over(connection, devices, evaluated.passed_over)
    if evaluated.event_rows:
        insert_events(connection, evaluated.event_rows, channels)


def _write_passed_over(connection: Connection, devices: TrackedDevices, passed_over: PassedOver) -> None:
    slot, state = passed_over.slot, devices.state
    if len(slot):
        keys, watermark, last = devices.key[slot], state.watermark[slot], state.last_fixes(slot)
        put_passed_over(
            connection, keys, passed_over.until, watermark, last, all_stored=passed_over.all_stored
        )


def _altitudes(fixes: Fixes, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of fixes by number. The properties have them, of a fix just received and of one that waited alike."""
    return altitudes_among(fixes.properties[at])


def _event_rows(
    live: LiveGeofences,
    devices: TrackedDevices,
    fixes: Fixes,
    evaluation: Evaluation,
    committed_time: int,
) -> list[dict[str, object]]:
    """Rows by time, device, share, kind, geofence id, collection: the order in which they are told."""
    columns = zip(
        evaluation.device.tolist(),
        evaluation.geofence.tolist(),
        evaluation.kind.tolist(),
        evaluation.ordinal.tolist(),
        evaluation.share.tolist(),
        _own_columns(evaluation),
        fixes.take(evaluation.position).rows(),
        strict=True,
    )
    rows: list[tuple[tuple[object, ...], dict[str, object]]] = []
    for slot, geofence_key, kind, ordinal, share, own, fix in columns:
        name = live.names[geofence_key]
        event_type = EVENT_TYPES[kind]
        device_id, device_key = devices.ids[slot], int(devices.key[slot])
        place = (own["sample_time"], device_key, share, kind, name.geofence_id, name.collection)
        row = {
            "event_id": event_id(
                devices.tracker_name,
                name.collection,
                device_id,
                name.geofence_id,
                event_type,
                own["sample_time"],
                ordinal,
            ),
            "tracker_key": devices.tracker_key,
            "device_key": device_key,
            "geofence_key": geofence_key,
            "event_type": event_type,
            "collection_name": name.collection,
            "geofence_id": name.geofence_id,
            "device_id": device_id,
            "committed_time": committed_time,
            "revision": live.revision,
            **fix,
            **own,
        }
        rows.append((place, row))
    return [row for _, row in sorted(rows, key=itemgetter(0))]


def _own_columns(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """What an event does not have from the fix at which it was found."""
    columns = zip(
        evaluation.time.tolist(),
        evaluation.longitude.tolist(),
        evaluation.latitude.tolist(),
        evaluation.interpolated.tolist(),
        strict=True,
    )
    return (dict(zip(OWN_COLUMNS, values, strict=True)) for values in columns)


OWN_COLUMNS = ("sample_time", "longitude", "latitude", "interpolated")


def _write_inside(connection: Connection, devices: TrackedDevices, evaluation: Evaluation) -> None:
    keys = devices.key[evaluation.device].tolist()
    pairs = zip(keys, evaluation.geofence.tolist(), evaluation.kind.tolist(), strict=True)
    # of several crossings the last one holds
    last = {(key, geofence): kind for key, geofence, kind in pairs if kind != DWELL_KIND}
    visits = {pair: Visit(*pair) for pair, kind in last.items() if kind == ENTER_KIND}
    visits.update((visit[:2], visit) for visit in devices.visits_of(evaluation.records))
    change_inside(
        connection,
        visits=list(visits.values()),
        left=[pair for pair, kind in last.items() if kind == EXIT_KIND],
    )
