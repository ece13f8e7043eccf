"""Who evaluates: alone with the memory of devices and geofences, which is a mirror of the database.

- One writer a shard: only who owns it evaluates its devices, and each transaction confirms that.
- Whatever fails in between, memory is read anew before it is used again, and not before a commit has ended
  of which the answer was lost.
"""

import threading
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager

import numpy as np
from sqlalchemy import Connection

from service.evaluating import Evaluated, evaluate_fixes, write_evaluated
from service.fixes import Fixes, fixes_kept
from service.held_devices import HeldDevices
from service.live_geofences import LiveGeofences
from service.outcome import Outcome
from service.ownership.owned_shards import Shards
from service.reorder_window import ReorderWindow
from service.store.database import Database
from service.store.devices import end_visits
from service.store.positions import due, mark_evaluated
from service.store.reading.trackers import tracker_names
from service.store.revisions import newest_revision
from service.storing import write_devices
from service.tracked_devices import TrackedDevices

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
        window: ReorderWindow,
        lock: threading.RLock,
    ) -> None:
        """channels: who is told of events. lock: held by one thread at a time, which has the memory then."""
        self._database = database
        self._live = live
        self._shards = shards
        self._channels = channels
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
    ) -> Evaluated:
        """What fixes mean under the geofences of now. When they are stored, `write` is to be called."""
        self._catch_up(connection)
        return self._evaluated(devices, fixes, outcome)

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
            evaluated = self._evaluated(devices, fixes, outcome)
            outcome.late += int(evaluated.late.sum())
            mark_evaluated(
                connection, devices.key[fixes.slot], fixes.sample_time, evaluated.revision, evaluated.late
            )
            write_devices(connection, devices, fixes.take(np.zeros(0, np.int64)), evaluated)
            found.append((devices, evaluated))
        for devices, evaluated in found:
            self.write(connection, devices, evaluated, outcome)
        return bool(waiting)

    def forget(self, tracker_key: int, device_id: str, forgotten_time: int) -> None:
        """A device was erased. To be called under the lock, after the commit."""
        self._held.forget(tracker_key, device_id, forgotten_time)

    def _evaluated(self, devices: TrackedDevices, fixes: Fixes, outcome: Outcome) -> Evaluated:
        evaluated = evaluate_fixes(self._live, devices, fixes, outcome.committed_time)
        outcome.evaluated.append(fixes.take(~evaluated.late))
        return evaluated

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
