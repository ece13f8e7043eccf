"""What is kept of each device beside its history must be what the history says: latest position, watermark,
shard. And what is said of each of its fixes must be possible.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.timestamps import iso
from ingest.topics import shard_of
from service.checking.findings import Expiry, Findings, Violation
from service.checking.history import NONE, HistoryPart, StoredDevice, StoredFixes

NOWHERE = "none"


class Latest(NamedTuple):
    """A latest position: times in ms, degrees, metres, and JSON text."""

    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str

    def __str__(self) -> str:
        times = f"at {iso(self.sample_time)}, received {iso(self.received_time)}"
        place, properties = f"[{self.longitude}, {self.latitude}]", self.properties or "{}"
        return f"{place} {times}, accuracy {self.accuracy}, properties {properties}"


class Facts(NamedTuple):
    """What the history of a device says; times in ms, None where there is nothing of it.

    `first`: sample_time of the first position stored, `evaluated` and `revision` of the last that was
    evaluated, `late` of the last that came too late.
    """

    first: int | None = None
    latest: Latest | None = None
    evaluated: int | None = None
    revision: int = NONE
    late: int | None = None


class DeviceChecks:
    """Takes the history part by part. `tombstones`: (tracker key, device id) -> time up to which fixes are
    refused."""

    def __init__(
        self,
        findings: Findings,
        trackers: dict[int, str],
        revisions: NDArray[np.int64],
        tombstones: dict[tuple[int, str], int],
        expiry: Expiry,
    ) -> None:
        self._findings = findings
        self._trackers = trackers
        self._revisions = revisions
        self._tombstones = tombstones
        self._expiry = expiry
        self._so_far = Facts()

    def take(self, part: HistoryPart) -> None:
        """The next part."""
        fixes = part.fixes
        self._count(fixes)
        keys = np.array([each.key for each in part.devices], np.int64)
        self._refuse_orphans(fixes, keys)
        starts = np.searchsorted(fixes.device_key, keys)
        ends = np.searchsorted(fixes.device_key, keys, side="right")
        for device, start, end in zip(part.devices, starts.tolist(), ends.tolist(), strict=True):
            before = Facts() if part.begins else self._so_far
            facts = self._facts(device, fixes.take(slice(start, end)), before)
            if part.ends:
                self._check(device, facts)
            else:
                self._so_far = facts

    def _count(self, fixes: StoredFixes) -> None:
        waiting = (fixes.revision == NONE) & ~fixes.late
        proved = self._findings.proved
        proved["positions"] += len(fixes)
        proved["late positions"] += int(fixes.late.sum())
        proved["waiting positions"] += int(waiting.sum())

    def _refuse_orphans(self, fixes: StoredFixes, keys: NDArray[np.int64]) -> None:
        unknown, count = np.unique(fixes.device_key[~np.isin(fixes.device_key, keys)], return_counts=True)
        for key, rows in zip(unknown.tolist(), count.tolist(), strict=True):
            stored = f"{rows:,} positions"
            self._findings.add(Violation("orphan", f"position.device_key {key}", stored, "a device of it"))

    def _facts(self, device: StoredDevice, fixes: StoredFixes, before: Facts) -> Facts:
        if not len(fixes):
            return before
        time, revision = fixes.sample_time, fixes.revision
        evaluated = np.flatnonzero((revision != NONE) & ~fixes.late)
        late = np.flatnonzero(fixes.late)
        met = np.concatenate([[before.revision], revision[evaluated]])
        for index in np.flatnonzero(np.diff(met) < 0).tolist():
            at, earlier = iso(int(time[evaluated[index]])), int(met[index])
            self._add("revision", device, f"position at {at}", str(met[index + 1]), f"{earlier} or more")
        impossible = ~np.isin(revision, self._revisions) & (revision != NONE)
        for index in np.flatnonzero(impossible).tolist():
            row, expected = f"position at {iso(int(time[index]))}", "a revision that there was"
            self._add("revision", device, row, f"revision {revision[index]}", expected)
        for index in np.flatnonzero(fixes.late & (revision != NONE)).tolist():
            row, expected = f"position at {iso(int(time[index]))}", "one of the two"
            self._add("late", device, row, f"late, and revision {revision[index]}", expected)
        return Facts(
            int(time[0]) if before.first is None else before.first,
            _latest(fixes),
            int(time[evaluated[-1]]) if len(evaluated) else before.evaluated,
            int(met[-1]),
            int(time[late[-1]]) if len(late) else before.late,
        )

    def _check(self, device: StoredDevice, facts: Facts) -> None:
        self._findings.proved["devices"] += 1
        shard = shard_of(device.device_id)
        if device.shard != shard:
            self._add("shard", device, "device", str(device.shard), str(shard))
        self._check_latest(device, facts)
        self._check_watermark(device, facts)
        forgotten = self._tombstones.get((device.tracker_key, device.device_id))
        if forgotten is not None and facts.first is not None and facts.first <= forgotten:
            expected = f"none up to {iso(forgotten)}, when it was forgotten"
            self._add("forgotten", device, "positions", f"one at {iso(facts.first)}", expected)

    def _check_latest(self, device: StoredDevice, facts: Facts) -> None:
        stored = Latest(*(getattr(device, name) for name in Latest._fields))
        if stored == facts.latest:
            return
        is_newer = facts.latest is None or facts.latest.sample_time < stored.sample_time
        if is_newer and self._expiry.may_have(stored.sample_time):
            self._findings.unproved["latest positions that have expired from history"] += 1
            return
        if facts.latest is None and not device.all_stored:
            self._findings.unproved["latest positions of devices of which none is stored"] += 1
            return
        expected = "that of a stored position" if facts.latest is None else str(facts.latest)
        self._add("latest", device, "latest position", str(stored), expected)

    def _check_watermark(self, device: StoredDevice, facts: Facts) -> None:
        watermark = device.watermark
        stored = NOWHERE if watermark is None else iso(watermark)
        if watermark != facts.evaluated and self._not_stored(device, facts):
            self._findings.unproved["watermarks of which the position was not stored"] += 1
        elif watermark != facts.evaluated:
            gone = watermark is not None and self._expiry.may_have(watermark)
            if gone and (facts.evaluated is None or facts.evaluated < int(watermark or 0)):
                self._findings.unproved["watermarks of which the position has expired"] += 1
            else:
                expected = NOWHERE if facts.evaluated is None else iso(facts.evaluated)
                self._add("watermark", device, "watermark", stored, expected)
        ended = max((each for each in (watermark, device.until) if each is not None), default=None)
        if facts.late is not None and (ended is None or facts.late > ended):
            expected = f"none after the watermark, {stored}, or what was passed over"
            self._add("late", device, "late positions", f"one at {iso(facts.late)}", expected)

    def _not_stored(self, device: StoredDevice, facts: Facts) -> bool:
        """Whether what is at the watermark was evaluated and not stored, or is not stored any more."""
        watermark = device.watermark
        if device.all_stored or watermark is None or device.passed_watermark != watermark:
            return False
        return facts.evaluated is None or facts.evaluated < watermark

    def _add(self, check: str, device: StoredDevice, row: str, stored: str, expected: str) -> None:
        tracker = self._trackers.get(device.tracker_key)
        self._findings.add(Violation(check, row, stored, expected, tracker, device.device_id))


def _latest(fixes: StoredFixes) -> Latest:
    accuracy = float(fixes.accuracy[-1])
    return Latest(
        int(fixes.sample_time[-1]),
        int(fixes.received_time[-1]),
        float(fixes.longitude[-1]),
        float(fixes.latitude[-1]),
        None if np.isnan(accuracy) else accuracy,
        fixes.properties[-1],
    )
