"""What is stored of events and inside sets, laid beside what came out of evaluating again.

Where positions have expired, the first that is left of a device is met as if the device had never been seen.
So what is told there, and what has become of visits that had begun before, cannot be proved and is counted.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select

from ingest.decoding.altitudes import altitudes_among
from ingest.timestamps import iso
from service.checking.findings import Expiry, Findings, Violation
from service.checking.history import StoredDevice
from service.checking.past_geofences import KeptChanges
from service.checking.told import Pair, StoredEvent, StoredVisit, Told, settled, values
from service.store.devices import Visit, standing_visits
from service.store.schema import event, inside, position, tracker_consumer
from service.store.snapshot import Snapshot

OPENINGS = "devices of which positions have expired: what was told at the first one left"
VISITS = (
    "visits that may have begun before the first position left, of geofences that ask for more than place"
)
STAYED = "visits of devices of which all positions have expired"
NOT_STORED = "events and visits of devices of which not all that was evaluated is stored"
VOLUMES = (
    "devices and volumes that differ, where positions have no altitude: right if OVERFLY_UNKNOWN_ALTITUDE "
    "was another"
)


class Comparison:
    """Reads what is stored of devices as they come out of the evaluation."""

    def __init__(
        self,
        state: Snapshot,
        findings: Findings,
        kept: KeptChanges,
        trackers: dict[int, str],
        expiry: Expiry,
    ) -> None:
        self._state = state
        self._findings = findings
        self._kept = kept
        self._trackers = trackers
        self._expiry = expiry

    def compare(self, told: Told) -> None:
        """Adds what differs."""
        if not told.devices:
            return
        devices = {each.key: each for each in told.devices}
        events, visits = self._stored(told.devices)
        self._check_order(events, devices)
        told, events, visits = self._without_gaps(told, events, visits)
        settled_at: dict[Pair, int] = {}
        if self._expiry.before is not None:
            settled_at = settled(events, told.beginnings)
            self._findings.unproved[OPENINGS] += len(told.beginnings)
        doubtful: set[Pair] = set()
        at_volumes: set[Pair] = set()
        for stored, expected in told.differing_events(events):
            one = stored or expected
            assert one is not None  # noqa: S101 - narrows the type
            if self._before(one, told) or self._is_unsettled(one.pair, one.sample_time, settled_at, doubtful):
                continue
            if not self._is_of_unknown_altitude(one.pair, at_volumes):
                self._add_event(devices[one.device_key], one, stored, expected)
        for stay, expected_stay in told.differing_visits(visits):
            visit = stay or expected_stay
            assert visit is not None  # noqa: S101 - narrows the type
            if self._expiry.before is not None and visit.device_key not in told.beginnings:
                self._findings.unproved[STAYED] += 1
                continue
            if self._is_unsettled(visit[:2], None, settled_at, doubtful):
                continue
            if not self._is_of_unknown_altitude(visit[:2], at_volumes):
                self._add_visit(devices[visit.device_key], visit, stay, expected_stay)
        self._findings.proved["events"] += len(events)
        self._findings.proved["visits"] += len(visits)
        for sentence, pairs in ((VISITS, doubtful), (VOLUMES, at_volumes)):
            if pairs:
                self._findings.unproved[sentence] += len(pairs)

    def _stored(self, devices: Sequence[StoredDevice]) -> tuple[list[StoredEvent], list[StoredVisit]]:
        first, last = devices[0].key, devices[-1].key
        columns = (event.c[name] for name in StoredEvent._fields)
        stored = select(*columns).where(event.c.device_key.between(first, last)).order_by(event.c.seq)
        visits = standing_visits(tracker_consumer.c.linked_revision).where(
            inside.c.device_key.between(first, last)
        )
        with self._state.read() as connection:
            events = [StoredEvent(*row) for row in connection.execute(stored)]
            return events, [StoredVisit(Visit(*row[:-1]), row[-1]) for row in connection.execute(visits)]

    def _without_gaps(
        self, told: Told, events: list[StoredEvent], visits: list[StoredVisit]
    ) -> tuple[Told, list[StoredEvent], list[StoredVisit]]:
        """Leaves out devices of which not all that was evaluated is stored."""
        gaps = {each.key for each in told.devices if not each.all_stored}
        if not gaps:
            return told, events, visits
        some_events = [each for each in events if each.device_key not in gaps]
        some_visits = [each for each in visits if each.visit.device_key not in gaps]
        missing = len(events) - len(some_events) + len(visits) - len(some_visits)
        self._findings.unproved[NOT_STORED] += missing
        return told.without(gaps), some_events, some_visits

    def _check_order(self, events: Sequence[StoredEvent], devices: dict[int, StoredDevice]) -> None:
        """The events of a device are stored in the order of their time."""
        last: dict[int, StoredEvent] = {}
        for each in events:
            before = last.setdefault(each.device_key, each)
            if each.sample_time < before.sample_time:
                expected = f"none before {iso(before.sample_time)}, as one of then was stored earlier"
                self._add("order", devices[each.device_key], _row(each), iso(each.sample_time), expected)
            last[each.device_key] = each

    def _before(self, one: StoredEvent, told: Told) -> bool:
        """Whether it is of the time of which nothing can be known any more."""
        if self._expiry.before is None:
            return False
        key, beginning = one.device_key, told.beginnings.get(one.device_key)
        since = told.until.get(key) if beginning is None else beginning.sample_time
        return self._expiry.may_have(one.sample_time) or (since is not None and one.sample_time <= since)

    def _is_unsettled(
        self, pair: Pair, sample_time: int | None, settled_at: dict[Pair, int], doubtful: set[Pair]
    ) -> bool:
        """Whether it depends on what may have expired; sample_time None: of now."""
        if self._expiry.before is None or pair[1] not in self._kept.asking:
            return False
        since = settled_at.get(pair)
        if since is not None and (sample_time is None or sample_time > since):
            return False
        doubtful.add(pair)
        return True

    def _is_of_unknown_altitude(self, pair: Pair, at_volumes: set[Pair]) -> bool:
        if pair[1] not in self._kept.volumes:
            return False
        if pair not in at_volumes:
            met = (position.c.device_key == pair[0]) & position.c.revision.is_not(None)
            statement = select(position.c.properties).where(met).execution_options(yield_per=10_000)
            with self._state.read() as connection:
                texts = connection.scalars(statement).partitions()
                if not any(np.isnan(altitudes_among(some)).any() for some in texts):
                    return False
            at_volumes.add(pair)
        return True

    def _add_event(
        self, of: StoredDevice, one: StoredEvent, stored: StoredEvent | None, expected: StoredEvent | None
    ) -> None:
        self._add("event", of, _row(one), values(stored, expected), values(expected, stored))

    def _add_visit(self, of: StoredDevice, one: Visit, stored: Visit | None, expected: Visit | None) -> None:
        name = self._kept.names.get(one.geofence_key)
        row = f"inside of geofence {one.geofence_key if name is None else '/'.join(name)}"
        self._add("inside", of, row, values(stored, expected), values(expected, stored))

    def _add(self, check: str, of: StoredDevice, row: str, stored: str, expected: str) -> None:
        tracker = self._trackers.get(of.tracker_key)
        self._findings.add(Violation(check, row, stored, expected, tracker, of.device_id))


def _row(one: StoredEvent) -> str:
    place = f"{one.collection_name}/{one.geofence_id}"
    return f"{one.event_type} of geofence {place} at {iso(one.sample_time)} ({one.event_id})"
