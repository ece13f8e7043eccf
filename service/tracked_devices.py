"""The devices of one tracker, in memory: what evaluation needs of each, in columns by slot."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.fixes.last_fixes import LastFixes
from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, VisitRecords
from ingest.decoding.altitudes import altitudes_among
from service.store.devices import (
    EvaluatedFix,
    Visit,
    known_devices,
    last_evaluated,
    tombstones,
    visits,
)

UNKNOWN = -1


class TrackedDevices:
    """A mirror of the rows `device` and `inside`; a slot is a device's place in the columns.

    `key`: database key by slot, int64. `latest`: sample_time of the latest position stored, int64 ms.
    `state`: watermark, inside set and last fix by slot. `forgotten`: device id -> sample_time (ms) up to
    which fixes are refused. `position_events`: whether the tracker asks for an event of each position.
    """

    def __init__(self, connection: Connection, tracker_key: int, tracker_name: str) -> None:
        self.tracker_key = tracker_key
        self.tracker_name = tracker_name
        self.position_events = False
        self.forgotten = tombstones(connection, tracker_key)
        known = known_devices(connection, tracker_key)
        self.ids = [each.device_id for each in known]
        self._slots = {device_id: slot for slot, device_id in enumerate(self.ids)}
        self.key = np.array([each.key for each in known], np.int64)
        self.latest = np.array([each.latest for each in known], np.int64)
        self.state = InsideState(remembering_fixes=True)
        self.state.grow(len(known))
        seen = [(slot, each.watermark) for slot, each in enumerate(known) if each.watermark is not None]
        self.state.set_watermark(
            _int32(slot for slot, _ in seen), np.array([time for _, time in seen], np.int64)
        )
        self._load_visits(visits(connection, tracker_key))
        for fixes in last_evaluated(connection, tracker_key):
            self._load_fixes(fixes)

    def __len__(self) -> int:
        return len(self.ids)

    def slots(self, device_ids: Iterable[str]) -> NDArray[np.int32]:
        """The slot of each id, UNKNOWN where the tracker has not met it."""
        slots = self._slots
        return _int32(slots.get(device_id, UNKNOWN) for device_id in device_ids)

    def visits_of(self, records: VisitRecords) -> Iterator[Visit]:
        """Records of visits as they are stored."""
        columns = zip(
            self.key[records.device].tolist(),
            records.geofence.tolist(),
            records.entered.tolist(),
            [None if time == NEVER else time for time in records.outside_since.tolist()],
            records.dwelled.tolist(),
            strict=True,
        )
        return (Visit(*values) for values in columns)

    def add(self, device_ids: Sequence[str], keys: Sequence[int]) -> None:
        """Devices that were just inserted get the next slots; no position of them is stored yet."""
        for slot, device_id in enumerate(device_ids, len(self.ids)):
            self._slots[device_id] = slot
        self.ids.extend(device_ids)
        self.key = np.concatenate([self.key, np.array(keys, np.int64)])
        never = np.full(len(keys), np.iinfo(np.int64).min, np.int64)
        self.latest = np.concatenate([self.latest, never])
        self.state.grow(len(self.ids))

    def forget(self, device_id: str, forgotten_time: int) -> None:
        """Empties the device's slot; the id gets another one should it come back."""
        self.forgotten[device_id] = forgotten_time
        slot = self._slots.pop(device_id, None)
        if slot is not None:
            self.state.clear_device(slot)

    def _load_visits(self, stored: Sequence[Visit]) -> None:
        self.state.load(
            self._slots_of_keys([visit.device_key for visit in stored]),
            _int32(visit.geofence_key for visit in stored),
        )
        remembered = [visit for visit in stored if visit.entered_time is not None]
        self.state.visits.put(
            VisitRecords(
                self._slots_of_keys([visit.device_key for visit in remembered]),
                _int32(visit.geofence_key for visit in remembered),
                np.array([visit.entered_time for visit in remembered], np.int64),
                np.array(
                    [NEVER if visit.outside_since is None else visit.outside_since for visit in remembered],
                    np.int64,
                ),
                np.array([visit.dwelled for visit in remembered], np.bool_),
            )
        )

    def _load_fixes(self, stored: Sequence[EvaluatedFix]) -> None:
        self.state.set_last_fixes(
            self._slots_of_keys([fix.device_key for fix in stored]),
            LastFixes(
                np.array([fix.longitude for fix in stored], np.float64),
                np.array([fix.latitude for fix in stored], np.float64),
                altitudes_among(fix.properties for fix in stored),
                np.array([fix.accuracy for fix in stored], np.float64),  # None becomes NaN
            ),
        )

    def _slots_of_keys(self, keys: Sequence[int]) -> NDArray[np.int32]:
        return np.searchsorted(self.key, np.array(keys, np.int64)).astype(np.int32)


def _int32(values: Iterable[int]) -> NDArray[np.int32]:
    return np.fromiter(values, np.int32)
