"""The devices of one tracker, in memory: what evaluation needs of each, in columns by slot."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, VisitRecords
from ingest.topics import shard_of
from service.store.devices import (
    Among,
    EvaluatedFix,
    KnownDevice,
    Visit,
    as_last_fixes,
    known_devices,
    last_evaluated,
    of_ids,
    of_shards,
    tombstones,
    visits,
)

UNKNOWN = -1


class TrackedDevices:
    """A mirror of rows of `device` and `inside`; a slot is a device's place in the columns.

    Holds the devices of some shards, which nobody else evaluates; others may add to them.

    `key`: database key by slot, int64. `latest`: sample_time of the latest position stored, int64 ms.
    `state`: watermark, inside set and last fix by slot. `forgotten`: device id -> sample_time (ms) up to
    which fixes are refused. `position_events`: whether the tracker asks for an event of each position;
    `position_filtering`: how it filters them, None: not.
    """

    def __init__(self, tracker_key: int, tracker_name: str) -> None:
        self.tracker_key = tracker_key
        self.tracker_name = tracker_name
        self.position_events = False
        self.position_filtering: str | None = None
        self.forgotten: dict[str, int] = {}
        self.ids: list[str] = []
        self._slots: dict[str, int] = {}
        self._left: dict[str, int] = {}  # slots of devices that are not held now
        self._shard = np.empty(0, np.int8)
        self.key = np.empty(0, np.int64)
        self.latest = np.empty(0, np.int64)
        self.state = InsideState(remembering_fixes=True)

    @classmethod
    def stored(
        cls, connection: Connection, tracker_key: int, tracker_name: str, device_ids: Sequence[str]
    ) -> "TrackedDevices":
        """Those of some devices that are known, as they are stored now, without what evaluation needs."""
        devices = cls(tracker_key, tracker_name)
        devices.forgotten = tombstones(connection, tracker_key, device_ids)
        devices._place(known_devices(connection, tracker_key, of_ids(connection, device_ids)))
        return devices

    def hold(self, connection: Connection, shards: Collection[int]) -> None:
        """Reads all devices of these shards, which were not held."""
        self.forgotten = tombstones(connection, self.tracker_key)
        self._read(connection, of_shards(shards))

    def learn(self, connection: Connection, device_ids: Iterable[str]) -> None:
        """Reads those devices that others have added."""
        unknown = set(device_ids) - self._slots.keys()
        if unknown:
            self._read(connection, of_ids(connection, unknown))

    def drop(self, shards: Collection[int]) -> None:
        """Holds the devices of these shards no longer: others change them."""
        for slot in np.flatnonzero(np.isin(self._shard, list(shards))).tolist():
            held = self._slots.pop(self.ids[slot], None)
            if held is not None:
                self._left[self.ids[slot]] = held
                self.state.clear_device(held)

    def __len__(self) -> int:
        return len(self.ids)

    def slots(self, device_ids: Iterable[str]) -> NDArray[np.int32]:
        """The slot of each id, UNKNOWN where the tracker has not met it."""
        return _int32(map(self._slots.get, device_ids, repeat(UNKNOWN)))

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
        """Devices that were just inserted get the slots that they had before, or the next ones; no position
        of them is stored yet."""
        new = [each for each in device_ids if each not in self._left]
        for slot, device_id in enumerate(new, len(self.ids)):
            self._left[device_id] = slot
        self.ids.extend(new)
        self._shard = np.append(self._shard, np.array([shard_of(each) for each in new], np.int8))
        self.key = np.concatenate([self.key, np.zeros(len(new), np.int64)])
        self.latest = np.concatenate([self.latest, np.zeros(len(new), np.int64)])
        self.state.grow(len(self.ids))
        for device_id in device_ids:
            self._slots[device_id] = self._left.pop(device_id)
        slots = self.slots(device_ids)
        self.key[slots] = keys
        self.latest[slots] = np.iinfo(np.int64).min

    def forget(self, device_id: str, forgotten_time: int) -> None:
        """Empties the device's slot, which waits for it should it come back."""
        self.forgotten[device_id] = forgotten_time
        slot = self._slots.pop(device_id, None)
        if slot is not None:
            self._left[device_id] = slot
            self.state.clear_device(slot)

    def _read(self, connection: Connection, among: Among) -> None:
        slots = self._place(known_devices(connection, self.tracker_key, among))
        self._load_visits(visits(connection, self.tracker_key, among), slots)
        for fixes in last_evaluated(connection, self.tracker_key, among):
            self._load_fixes(fixes, slots)

    def _place(self, known: Sequence[KnownDevice]) -> dict[int, int]:
        """Gives devices slots, those they had where they were held before; answers database key -> slot."""
        self.add([each.device_id for each in known], [each.key for each in known])
        slots = self.slots([each.device_id for each in known])
        self.latest[slots] = [each.latest for each in known]
        evaluated = [each.watermark is not None for each in known]
        times = [each.watermark for each in known if each.watermark is not None]
        self.state.set_watermark(slots[evaluated], np.array(times, np.int64))
        return dict(zip([each.key for each in known], slots.tolist(), strict=True))

    def _load_visits(self, stored: Sequence[Visit], slots: Mapping[int, int]) -> None:
        self.state.load(
            _int32(slots[visit.device_key] for visit in stored),
            _int32(visit.geofence_key for visit in stored),
        )
        remembered = [visit for visit in stored if visit.entered_time is not None]
        self.state.visits.put(
            VisitRecords(
                _int32(slots[visit.device_key] for visit in remembered),
                _int32(visit.geofence_key for visit in remembered),
                np.array([visit.entered_time for visit in remembered], np.int64),
                np.array(
                    [NEVER if visit.outside_since is None else visit.outside_since for visit in remembered],
                    np.int64,
                ),
                np.array([visit.dwelled for visit in remembered], np.bool_),
            )
        )

    def _load_fixes(self, stored: Sequence[EvaluatedFix], slots: Mapping[int, int]) -> None:
        slot = _int32(slots[fix.device_key] for fix in stored)
        self.state.set_last_fixes(slot, as_last_fixes(stored))


def _int32(values: Iterable[int]) -> NDArray[np.int32]:
    return np.fromiter(values, np.int32)
