"""The tracker: stores fixes, evaluates them in order, and commits both with the events.

Promises, and what holds them here:
- nothing acknowledged is lost: `ingest` and `post` return only after the commit;
- nothing counts twice: rows, watermark, inside set, events and outbox are one commit, and a fix that is a row
  already, or not after the watermark, changes none of them;
- memory is a mirror of the database: whatever fails in between, it is read anew before it is used again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from sqlalchemy import Connection

from ingest.decoding.decoder import Decoded, decode
from ingest.messages import Message
from service.evaluating import evaluate_fixes
from service.fixes import fixes_kept
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.outcome import Accounts, Outcome, Posted
from service.ownership import Ownership, OwnFolder
from service.put_aside import commit_storable, conflicts, without_forgotten
from service.reorder import ReorderClock
from service.store.database import Database
from service.store.devices import end_visits, erase_device
from service.store.partitions import DaysOfHistory
from service.store.position_updates import insert_position_updates
from service.store.positions import any_waiting, due, insert_positions, last_waiting_receipt, mark_evaluated
from service.store.reading.trackers import tracker_named, tracker_names
from service.store.rejects import insert_rejects
from service.store.revisions import newest_revision
from service.storing import newer_than_latest, placed_fixes, sort_out, write_devices
from service.timestamps import now
from service.tracked_devices import TrackedDevices

DEVICES_AT_ONCE = 2_000
"""Devices whose waiting fixes are evaluated in one commit."""


class Tracker:
    """All trackers of a database, in the one process that writes to it; called from several threads."""

    def __init__(
        self,
        database: Database,
        live: LiveGeofences,
        intake: Intake,
        reorder: ReorderClock,
        metrics: Metrics,
        channels: Sequence[str] = (),
        telling_positions: bool = False,
        told: Callable[[], None] = lambda: None,
        stored: Callable[[], None] = lambda: None,
        ownership: Ownership | None = None,
        history: DaysOfHistory | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """channels: who is told of events; telling_positions: whether there is a bus for those of trackers
        that ask for it. told: called after a commit with something to tell, stored: after a post."""
        self._database = database
        self._live = live
        self._intake = intake
        self._reorder = reorder
        self._accounts = Accounts(metrics)
        self._channels = channels
        self._telling_positions = telling_positions
        self._told = told
        self._stored = stored
        self._ownership = ownership or OwnFolder()
        self._history = history
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._devices: dict[int, TrackedDevices] = {}
        self._last_receipt = 0
        self._loaded = False

    def ingest(self, messages: Sequence[Message], tracker_name: str) -> None:
        """Stores what a source received; a window of 0 evaluates it in the same commit. Raises StoreAway."""
        self._take(messages, tracker_name, evaluating=self._reorder.window == 0)

    def post(self, payload: bytes, tracker_name: str) -> Posted:
        """Stores one payload; its turn to be evaluated is in `evaluate_due`. Raises NotFound, StoreAway."""
        outcome = self._take([Message(payload)], tracker_name, evaluating=False)
        self._stored()
        return Posted(outcome.stored, outcome.duplicates, outcome.late, outcome.conflicts, outcome.rejects)

    def evaluate_due(self) -> None:
        """Evaluates the fixes whose window has passed. Raises StoreAway."""
        with self._lock:
            until = self._reorder.due(self._monotonic())
        if until is None:
            return
        while self._evaluate_some(until):
            pass
        with self._lock:
            self._reorder.done(until)

    def restart_window(self) -> None:
        """All that waits waits the whole window again: the source is connected anew. Raises StoreAway."""
        with self._transaction() as connection:
            self._reorder.start_anew(self._monotonic(), last_waiting_receipt(connection))

    def run_window(self, running: bool) -> None:
        """Lets the window's clock run, or stand while the source is away or has more than we can take."""
        with self._lock:
            if running != self._reorder.running:
                (self._reorder.run if running else self._reorder.stand)(self._monotonic())

    def seconds_until_due(self) -> float | None:
        """When `evaluate_due` has something to do; None: nothing that is known waits."""
        with self._lock:
            return self._reorder.seconds_until_due(self._monotonic())

    def forget(self, tracker_name: str, device_id: str) -> bool:
        """Erases all that is known of a device; answers whether anything was. Raises NotFound, StoreAway."""
        with self._transaction() as connection:
            devices = self._tracked(connection, tracker_name)
            slot = int(devices.slots([device_id])[0])
            latest = int(devices.latest[slot]) if slot >= 0 else 0
            forgotten_time = max(now(), latest)
            erased = erase_device(connection, devices.tracker_key, device_id, forgotten_time)
            if erased:
                devices.forget(device_id, forgotten_time)
        return erased > 0

    def _take(self, messages: Sequence[Message], tracker_name: str, *, evaluating: bool) -> Outcome:
        received = max(self._last_receipt + 1, now())
        decoded = decode(messages, received, self._intake.limits(received))
        if self._history is not None:
            with self._lock:
                self._history.prepare(decoded.batch.sample_time, received)
        began = time.perf_counter()
        outcome = commit_storable(
            messages, decoded, lambda part: self._commit(messages, part, tracker_name, evaluating)
        )
        self._accounts.commit_took(time.perf_counter() - began)
        return outcome

    def _commit(
        self, messages: Sequence[Message], decoded: Decoded, tracker_name: str, evaluating: bool
    ) -> Outcome:
        with self._transaction() as connection:
            self._last_receipt = received = max(self._last_receipt + 1, now())
            devices = self._tracked(connection, tracker_name)
            decoded = without_forgotten(messages, decoded, devices.forgotten)
            outcome = Outcome(rejects=list(decoded.rejects), committed_time=received)
            if len(decoded.batch):
                if evaluating and any_waiting(connection):
                    self._evaluate_waiting(connection, np.iinfo(np.int64).max, outcome)
                self._store(connection, messages, decoded, devices, outcome, evaluating)
            if outcome.rejects:
                insert_rejects(connection, devices.tracker_key, outcome.rejects, received)
            if outcome.stored and not evaluating:
                self._reorder.received(self._monotonic(), received)
        self._account(outcome)
        return outcome

    def _store(
        self,
        connection: Connection,
        messages: Sequence[Message],
        decoded: Decoded,
        devices: TrackedDevices,
        outcome: Outcome,
        evaluating: bool,
    ) -> None:
        fixes = placed_fixes(connection, devices, decoded.batch, outcome.committed_time)
        fate = sort_out(connection, devices, fixes)
        outcome.rejects += conflicts(messages, decoded, fate.conflict)
        outcome.duplicates = int(fate.duplicate.sum())
        outcome.conflicts = int(fate.conflict.sum())
        fixes = fixes.take(fate.new)
        outcome.stored = len(fixes)
        if not len(fixes):
            return
        late = fixes.sample_time <= devices.state.watermark[fixes.slot]
        revision, evaluated = None, None
        if evaluating:
            self._catch_up(connection)
            evaluated = evaluate_fixes(
                connection, self._live, devices, fixes, outcome.committed_time, self._channels
            )
            late = evaluated.late
            revision = self._live.revision
            outcome.events.update(evaluated.events)
            outcome.evaluated.append(fixes.take(~late))
        outcome.late = int(late.sum())
        insert_positions(connection, fixes, devices.key[fixes.slot], revision, late)
        if self._telling_positions and devices.position_events:
            insert_position_updates(connection, devices.key[fixes.slot], fixes.sample_time)
            outcome.to_tell = len(fixes)
        latest = newer_than_latest(devices, fixes)
        write_devices(connection, devices, fixes.take(latest), evaluated)

    def _evaluate_some(self, until: int) -> bool:
        """Answers whether there may be more."""
        with self._transaction() as connection:
            if not any_waiting(connection):
                return False
            outcome = Outcome(committed_time=now())
            more = self._evaluate_waiting(connection, until, outcome)
        self._account(outcome)
        return more

    def _evaluate_waiting(self, connection: Connection, until: int, outcome: Outcome) -> bool:
        waiting = due(connection, until, DEVICES_AT_ONCE)
        self._catch_up(connection)
        names = tracker_names(connection)
        for key, (device_ids, columns) in waiting.items():
            devices = self._tracked(connection, names[key])
            fixes = fixes_kept(devices.slots(device_ids), columns)
            evaluated = evaluate_fixes(
                connection, self._live, devices, fixes, outcome.committed_time, self._channels
            )
            mark_evaluated(
                connection, devices.key[fixes.slot], fixes.sample_time, self._live.revision, evaluated.late
            )
            write_devices(connection, devices, fixes.take(np.zeros(0, np.int64)), evaluated)
            outcome.late += int(evaluated.late.sum())
            outcome.events.update(evaluated.events)
            outcome.evaluated.append(fixes.take(~evaluated.late))
        return bool(waiting)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One write transaction, alone with the memory; when it fails, memory is read anew by the next."""
        with self._lock:
            try:
                with self._database.write() as connection:
                    self._ownership.confirm(connection)
                    if not self._loaded:
                        self._load(connection)
                    yield connection
            except BaseException:
                self._loaded = False
                raise

    def _load(self, connection: Connection) -> None:
        with self._database.state_seen_by(connection) as seen:
            self._live.catch_up(seen)
        self._devices = {
            key: TrackedDevices(connection, key, name) for key, name in tracker_names(connection).items()
        }
        last_receipt = last_waiting_receipt(connection)
        self._last_receipt = max(self._last_receipt, last_receipt or 0)
        self._loaded = True

    def _tracked(self, connection: Connection, tracker_name: str) -> TrackedDevices:
        row = tracker_named(connection, tracker_name)
        if row.key not in self._devices:
            self._devices[row.key] = TrackedDevices(connection, row.key, tracker_name)
        self._devices[row.key].position_events = row.position_events
        return self._devices[row.key]

    def _account(self, outcome: Outcome) -> None:
        self._accounts.add(outcome)
        if outcome.events or outcome.to_tell:
            self._told()

    def _catch_up(self, connection: Connection) -> None:
        if newest_revision(connection) == self._live.revision:
            return
        with self._database.state_seen_by(connection) as seen:
            all_ended = self._live.catch_up(seen)
        for ended in all_ended:
            for key, devices in self._devices.items():
                if ended.tracker_key in (None, key):
                    devices.state.discard_geofences(ended.geofences)
                    # what was written here while others took the geofence away
                    end_visits(connection, key, ended.geofences.tolist())
