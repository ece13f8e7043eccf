"""The tracker: stores fixes, has them evaluated in order, and commits both with the events.

Promises, and what holds them here:
- nothing acknowledged is lost: `ingest` and `post` return only after the commit;
- nothing counts twice: rows, watermark, inside set, events and outbox are one commit, and a fix that is a row
  already, or not after the watermark, changes none of them;
- any process may store a fix, which then waits; only who owns its shard evaluates it: see evaluator.py.
"""

import threading
import time
from collections.abc import Callable, Sequence, Set

import numpy as np
from sqlalchemy import Connection

from ingest.decoding.decoder import Decode, Decoded, decode
from ingest.messages import Message
from ingest.topics import shard_of
from service.errors import NotFound
from service.evaluator import Evaluator
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.outcome import Accounts, Outcome, Posted
from service.ownership.owned_shards import ALL_SHARDS, FixedShards, Shards
from service.put_aside import commit_storable, conflicts, part, without_forgotten
from service.reorder import ReorderClock
from service.reorder_window import ReorderWindow
from service.store.database import Database
from service.store.deleting import delete_history
from service.store.devices import erase_device, latest_time
from service.store.partitions import DaysOfHistory
from service.store.positions import any_waiting, insert_positions
from service.store.reading.trackers import TrackerRow, tracker_named
from service.store.rejects import insert_rejects
from service.store.shards import hold_commits, keep_devices, tell_erased
from service.storing import (
    newer_than_latest,
    placed_fixes,
    sort_out,
    without_late_filtered,
    write_devices,
)
from service.timestamps import now
from service.tracked_devices import TrackedDevices


class Tracker:
    """All trackers of a database; called from several threads, of which one ingests and evaluates."""

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
        shards: Shards | None = None,
        history: DaysOfHistory | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """channels: who is told of events; telling_positions: whether there is a bus for those of trackers
        that ask for it. told: called after a commit with something to tell, stored: after a post.
        shards: which this process evaluates; None: all."""
        self._database = database
        self._intake = intake
        self._accounts = Accounts(metrics)
        self._told = told
        self._stored = stored
        self.shards = shards or FixedShards()
        self._history = history
        self._lock = threading.RLock()
        self._window = ReorderWindow(database, self.shards, reorder, monotonic, self._lock)
        self._evaluator = Evaluator(
            database, live, self.shards, channels, telling_positions, self._window, self._lock
        )
        self._receipts = threading.Lock()
        self._last_receipt = 0

    def ingest(self, messages: Sequence[Message], tracker_name: str) -> None:
        """Stores what a source received; a window of 0 evaluates it in the same commit, as far as its shards
        are owned. Raises StoreAway, ShardsLost."""
        if self._window.seconds:
            self._take(messages, lambda some: self._commit_waiting(messages, some, tracker_name))
            return

        def commit(some: Decoded) -> Outcome:
            needed = _shards(some) if self.shards.by_receipt else None
            return self._commit_evaluated(messages, some, tracker_name, needed)

        self._take(messages, commit)

    def post(
        self, payload: bytes, tracker_name: str, topic: str | None = None, decoding: Decode = decode
    ) -> Posted:
        """Stores one payload; its turn to be evaluated is in `evaluate_due`.

        topic: binds it as if it had been published there. decoding: what reads it.
        Raises NotFound, StoreAway.
        """
        messages = [Message(payload, topic)]
        outcome = self._take(
            messages, lambda some: self._commit_waiting(messages, some, tracker_name), decoding
        )
        self._stored()
        return outcome.posted

    def post_all(self, messages: Sequence[Message], tracker_name: str, decoding: Decode) -> Posted:
        """Stores what several callers posted, in one commit. Where there is no window that evaluates it, too,
        as far as its shards are owned. decoding: what reads it. Raises NotFound, StoreAway."""
        at_once = not (self._window.seconds or self.shards.by_receipt)

        def commit(some: Decoded) -> Outcome:
            if at_once:
                return self._commit_evaluated(messages, some, tracker_name, frozenset())
            return self._commit_waiting(messages, some, tracker_name)

        outcome = self._take(messages, commit, decoding)
        if not (at_once and self.shards.owned == ALL_SHARDS):
            self._stored()
        return outcome.posted

    def evaluate_due(self) -> None:
        """Evaluates the fixes whose window has passed. Raises StoreAway."""
        until = self._window.due()
        if until is None:
            return
        while self._evaluate_some(until):
            pass
        self._window.done(until)

    def notice_stored(self) -> None:
        """Fixes that others stored, and that are to be evaluated here, wait from now on. Raises StoreAway."""
        self._window.notice()

    def restart_window(self) -> None:
        """All that waits waits the whole window again: the source is connected anew. Raises StoreAway."""
        self._window.restart()

    def run_window(self, running: bool) -> None:
        """Lets the window's clock run, or stand while the source is away or has more than we can take."""
        self._window.run(running)

    def seconds_until_due(self) -> float | None:
        """When `evaluate_due` has something to do; None: nothing that is known waits."""
        return self._window.seconds_until_due()

    def delete_history(self, tracker_name: str, device_ids: Sequence[str]) -> None:
        """Deletes all positions of devices; what they are inside of, and what was told of it, stays.

        What they measured up to the last of them is refused from now on. Raises NotFound, StoreAway.
        """
        with self._lock:
            with self._database.write() as connection:
                tracker_key = tracker_named(connection, tracker_name).key
                shards = set(map(shard_of, device_ids))
                hold_commits(connection, shards)
                deleted_until = delete_history(connection, tracker_key, device_ids)
                if deleted_until:
                    tell_erased(connection, shards)
            self._evaluator.refuse_until(tracker_key, deleted_until)

    def forget(self, tracker_name: str, device_id: str) -> bool:
        """Erases all that is known of a device; answers whether anything was. Raises NotFound, StoreAway."""
        with self._lock:
            with self._database.write() as connection:
                tracker_key = tracker_named(connection, tracker_name).key
                hold_commits(connection, {shard_of(device_id)})
                forgotten_time = max(now(), latest_time(connection, tracker_key, device_id) or 0)
                erased = erase_device(connection, tracker_key, device_id, forgotten_time)
                if erased:
                    tell_erased(connection, {shard_of(device_id)})
            if erased:
                self._evaluator.forget(tracker_key, device_id, forgotten_time)
        return erased > 0

    # Commits

    def _take(
        self, messages: Sequence[Message], commit: Callable[[Decoded], Outcome], decoding: Decode = decode
    ) -> Outcome:
        received = max(self._last_receipt + 1, now())
        decoded = decoding(messages, received, self._intake.limits(received))
        if self._history is not None:
            with self._lock:
                self._history.prepare(decoded.batch.sample_time, received)
        began = time.perf_counter()
        outcome = commit_storable(messages, decoded, commit)
        self._accounts.commit_took(time.perf_counter() - began)
        return outcome

    def _commit_evaluated(
        self, messages: Sequence[Message], decoded: Decoded, tracker_name: str, needed: Set[int] | None
    ) -> Outcome:
        """Stores and evaluates what belongs to shards of ours; stores what does not, for their owners.

        needed: the shards that it cannot be without, as in Evaluator.alone.
        """
        evaluator = self._evaluator
        missing: NotFound | None = None
        with evaluator.alone(needed) as connection:
            outcome = Outcome(committed_time=self._receipt())
            try:
                devices = evaluator.devices(connection, tracker_name)
            except NotFound as error:  # raised behind, for what fails inside has all devices read anew
                missing = error
            else:
                self._store_parted(connection, messages, decoded, devices, outcome)
        if missing is not None:
            raise missing
        self._account(outcome)
        return outcome

    def _store_parted(
        self,
        connection: Connection,
        messages: Sequence[Message],
        decoded: Decoded,
        devices: TrackedDevices,
        outcome: Outcome,
    ) -> None:
        evaluator = self._evaluator
        ours, others = _parted(decoded, self.shards.owned)
        ours = without_forgotten(messages, ours, devices.forgotten)
        outcome.rejects += ours.rejects
        if len(others.batch):
            of_tracker = tracker_named(connection, devices.tracker_name)
            self._store_waiting(connection, messages, others, of_tracker, outcome)
        if len(ours.batch):
            if any_waiting(connection, self.shards.owned):
                while evaluator.evaluate_waiting(connection, np.iinfo(np.int64).max, outcome):
                    pass
            devices.learn(connection, ours.batch.device_id)
            self._store(connection, messages, ours, devices, outcome, evaluating=True)
        if outcome.rejects:
            insert_rejects(connection, devices.tracker_key, outcome.rejects, outcome.committed_time)

    def _commit_waiting(self, messages: Sequence[Message], decoded: Decoded, tracker_name: str) -> Outcome:
        """Stores what is evaluated later, whoever owns its shards."""
        with self._database.write() as connection:
            outcome = Outcome(committed_time=self._receipt(), rejects=list(decoded.rejects))
            of_tracker = tracker_named(connection, tracker_name)
            if len(decoded.batch):
                self._store_waiting(connection, messages, decoded, of_tracker, outcome)
            if outcome.rejects:
                insert_rejects(connection, of_tracker.key, outcome.rejects, outcome.committed_time)
        if outcome.stored:
            self._window.received(outcome.committed_time)
        self._account(outcome)
        return outcome

    def _store_waiting(
        self,
        connection: Connection,
        messages: Sequence[Message],
        decoded: Decoded,
        of_tracker: TrackerRow,
        outcome: Outcome,
    ) -> None:
        keep_devices(connection, _shards(decoded))
        device_ids = list(dict.fromkeys(decoded.batch.device_id))
        devices = TrackedDevices.stored(connection, of_tracker.key, of_tracker.name, device_ids)
        devices.position_events = of_tracker.position_events
        devices.position_filtering = of_tracker.position_filtering
        kept = without_forgotten(messages, part(decoded, slice(None), []), devices.forgotten)
        outcome.rejects += kept.rejects
        if len(kept.batch):
            self._store(connection, messages, kept, devices, outcome, evaluating=False)

    def _store(
        self,
        connection: Connection,
        messages: Sequence[Message],
        decoded: Decoded,
        devices: TrackedDevices,
        outcome: Outcome,
        *,
        evaluating: bool,
    ) -> None:
        fixes = placed_fixes(connection, devices, decoded.batch, outcome.committed_time)
        fate = sort_out(connection, devices, fixes)
        outcome.rejects += conflicts(messages, decoded, fate.conflict)
        outcome.duplicates += int(fate.duplicate.sum())
        outcome.conflicts += int(fate.conflict.sum())
        fixes = fixes.take(fate.new)
        if not len(fixes):
            return
        revision, evaluated = None, None
        if evaluating:
            fixes, evaluated = self._evaluator.evaluate(connection, devices, fixes, outcome)
            late, revision = evaluated.late, evaluated.revision
        else:
            fixes, late = without_late_filtered(connection, devices, fixes, outcome)
        outcome.stored += len(fixes)
        outcome.late += int(late.sum())
        insert_positions(connection, fixes, devices.key[fixes.slot], revision, late)
        settled = devices.position_filtering is None or evaluating
        self._evaluator.tell_positions(connection, devices, fixes if settled else fixes.take(late), outcome)
        latest = newer_than_latest(devices, fixes)
        write_devices(connection, devices, fixes.take(latest), evaluated)
        if evaluated is not None:
            self._evaluator.write(connection, devices, evaluated, outcome)

    def _evaluate_some(self, until: int) -> bool:
        """Answers whether there may be more."""
        with self._evaluator.alone(frozenset()) as connection:
            if not any_waiting(connection, self.shards.owned):
                return False
            outcome = Outcome(committed_time=now())
            more = self._evaluator.evaluate_waiting(connection, until, outcome)
        self._account(outcome)
        return more

    def _receipt(self) -> int:
        """The next received_time of a commit: none of this process comes twice.

        A lock of its own: who asks has a transaction already, for which others may wait with the tracker's.
        """
        with self._receipts:
            self._last_receipt = max(self._last_receipt + 1, now())
            return self._last_receipt

    def _account(self, outcome: Outcome) -> None:
        self._accounts.add(outcome)
        if outcome.events or outcome.to_tell:
            self._told()


def _shards(decoded: Decoded) -> frozenset[int]:
    return frozenset(map(shard_of, set(decoded.batch.device_id)))


def _parted(decoded: Decoded, owned: frozenset[int]) -> tuple[Decoded, Decoded]:
    """Positions of devices of these shards, with all rejects, and the others."""
    if owned == ALL_SHARDS:
        return decoded, part(decoded, slice(0, 0), [])
    ours = np.fromiter((shard_of(each) in owned for each in decoded.batch.device_id), np.bool_)
    return part(decoded, ours, decoded.rejects), part(decoded, ~ours, [])
