"""Who evaluates: alone with the memory of devices and geofences, which is a mirror of the database.

- One writer a shard: only who owns it evaluates its devices, and each transaction confirms that.
- Whatever fails in between, memory is read anew before it is used again, and not before a commit has ended
  of which the answer was lost.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from service.evaluating import Evaluated, evaluate_filtered, evaluate_fixes, write_evaluated
from service.filtering.filtered import filtered
from service.filtering.passing import UNSTORED
from service.fixes import Fixes, fixes_kept
from service.held_devices import HeldDevices
from service.live_geofences import LiveGeofences
from service.outcome import Outcome
from service.ownership.owned_shards import Shards
from service.reorder_window import ReorderWindow
from service.store.database import Database
from service.store.devices import end_visits
from service.store.position_updates import insert_position_updates
from service.store.positions import due, mark_evaluated
from service.store.reading.trackers import tracker_names
from service.store.revisions import newest_revision
from service.storing import take_away, write_devices
from service.tracked_devices import TrackedDevices
from service.unseen_devices import end_long_unseen

DEVICES_AT_ONCE = 2_000
"""Devices whose waiting fixes are evaluated in one commit."""


class Evaluator:
    """What it is given a connection for happens in a transaction of `alone`, but for `forget`."""

    def __init__(
        self,
        database: Database,
        live: LiveGeofences,
        shards: Shards,
        channels: Sequence[str],
        telling_positions: bool,
        window: ReorderWindow,
        lock: threading.RLock,
    ) -> None:
        """channels: who is told of events. telling_positions: whether somebody is told of positions.

        lock: held by one thread at a time, which has the memory then."""
        self._database = database
        self._live = live
        self._shards = shards
        self._channels = channels
        self._telling_positions = telling_positions
        self._window = window
        self._lock = lock
        self._held = HeldDevices()

    @contextmanager
    def alone(self, needed: Set[int] | None) -> Iterator[Connection]:
        """One transaction, alone with the memory; when it fails, memory is read anew by the next.

        needed: shards that it cannot be without; None: all that are owned. Raises StoreAway, ShardsLost.
        """
        with self._lock:
            if needed and self._shards.by_receipt:
                self._shards.claim(needed)
            try:
                with self._database.write() as connection:
                    versions = self._shards.confirm(connection, needed, alone=self._held.empty)
                    self._held.follow(connection, versions)
                    self._window.follow(connection, frozenset(versions))
                    yield connection
            except BaseException:
                self._held.reset()
                raise

    def devices(self, connection: Connection, tracker_name: str) -> TrackedDevices:
        """A tracker's, in memory. Raises NotFound."""
        return self._held.of(connection, tracker_name)

    def evaluate(
        self, connection: Connection, devices: TrackedDevices, fixes: Fixes, outcome: Outcome
    ) -> tuple[Fixes, Evaluated]:
        """What fixes mean under the geofences of now, and which of them are to be stored.

        When they are, `write` is to be called.
        """
        self._catch_up(connection)
        stored, evaluated = self._evaluated(connection, devices, fixes, outcome)
        return fixes if stored is None else fixes.take(stored), evaluated

    def write(
        self, connection: Connection, devices: TrackedDevices, evaluated: Evaluated, outcome: Outcome
    ) -> None:
        """Writes inside sets and events. To be called last, as `write_evaluated` is."""
        write_evaluated(connection, devices, evaluated, self._channels)
        outcome.events.update(evaluated.events)

    def evaluate_waiting(self, connection: Connection, until: int, outcome: Outcome) -> bool:
        """Evaluates fixes that wait, received up to then (ms); answers whether there may be more."""
        waiting = due(connection, until, DEVICES_AT_ONCE, self._shards.owned)
        self._catch_up(connection)
        names = tracker_names(connection)
        found: list[tuple[TrackedDevices, Evaluated]] = []
        for key, (device_ids, columns) in waiting.items():
            devices = self._held.of(connection, names[key])
            devices.learn(connection, device_ids)
            fixes = fixes_kept(devices.slots(device_ids), columns)
            stored, evaluated = self._evaluated(connection, devices, fixes, outcome)
            if stored is not None:
                take_away(connection, devices, fixes.take(~stored))
                fixes = fixes.take(stored)
                self.tell_positions(connection, devices, fixes, outcome)
            outcome.late += int(evaluated.late.sum())
            mark_evaluated(
                connection, devices.key[fixes.slot], fixes.sample_time, evaluated.revision, evaluated.late
            )
            write_devices(connection, devices, fixes.take(np.zeros(0, np.int64)), evaluated)
            found.append((devices, evaluated))
        for devices, evaluated in found:
            self.write(connection, devices, evaluated, outcome)
        return bool(waiting)

    def tell_positions(
        self, connection: Connection, devices: TrackedDevices, fixes: Fixes, outcome: Outcome
    ) -> None:
        """Fixes that are stored for good are to be put on the event bus, where the tracker asks for it."""
        if self._telling_positions and devices.position_events and len(fixes):
            insert_position_updates(connection, devices.key[fixes.slot], fixes.sample_time)
            outcome.to_tell += len(fixes)

    def forget(self, tracker_key: int, device_id: str, forgotten_time: int) -> None:
        """A device was erased. To be called under the lock, after the commit."""
        self._held.forget(tracker_key, device_id, forgotten_time)

    def refuse_until(self, tracker_key: int, deleted_until: Mapping[str, int]) -> None:
        """The history of devices was deleted up to these times (ms). To be called as `forget` is."""
        self._held.refuse_until(tracker_key, deleted_until)

    def _evaluated(
        self, connection: Connection, devices: TrackedDevices, fixes: Fixes, outcome: Outcome
    ) -> tuple[NDArray[np.bool_] | None, Evaluated]:
        """With a mask of the fixes that are stored, None: all are."""
        if devices.position_filtering is None:
            evaluated = evaluate_fixes(self._live, devices, fixes, outcome.committed_time)
            outcome.evaluated.append(fixes.take(~evaluated.late))
            return None, evaluated
        if devices.position_filtering == UNSTORED:
            end_long_unseen(connection, devices, fixes)
        left = filtered(connection, devices, devices.position_filtering, fixes)
        outcome.filtered += int((~left.stored).sum())
        outcome.evaluated.append(fixes.take(left.evaluated))
        return left.stored, evaluate_filtered(self._live, devices, fixes, left, outcome.committed_time)

    def _catch_up(self, connection: Connection) -> None:
        if newest_revision(connection) == self._live.revision:
            return
        with self._database.state_seen_by(connection) as seen:
            all_ended = self._live.catch_up(seen)
        for ended in all_ended:
            for devices in self._held:
                if ended.tracker_key in (None, devices.tracker_key):
                    devices.state.discard_geofences(ended.geofences)
                    # what was written here while others took the geofence away
                    end_visits(connection, devices.tracker_key, ended.geofences.tolist(), self._shards.owned)
