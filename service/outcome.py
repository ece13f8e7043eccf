"""What a commit did, and its account in metrics and logs."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from ingest.decoding.rejects import Reject
from service.fixes import Fixes
from service.metrics import Metrics
from service.timestamps import now

REJECTS_LOGGED_EVERY = 60.0  # seconds, for each reason

log = structlog.get_logger("overfly")


class Posted(NamedTuple):
    """What became of the positions of one payload. late: stored, but after their turn; filtered: not stored,
    as the tracker's filtering would have it."""

    accepted: int
    duplicates: int
    late: int
    conflicts: int
    filtered: int
    rejects: list[Reject]


@dataclass(slots=True)
class Outcome:
    """Of one commit, or of several parts of what was to be one. evaluated: the fixes that had their turn;
    to_tell: the positions that are to be put on the event bus."""

    committed_time: int = 0
    stored: int = 0
    late: int = 0
    duplicates: int = 0
    conflicts: int = 0
    filtered: int = 0
    rejects: list[Reject] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    evaluated: list[Fixes] = field(default_factory=list)
    to_tell: int = 0

    @property
    def posted(self) -> Posted:
        """What an answer to a sender tells."""
        return Posted(self.stored, self.duplicates, self.late, self.conflicts, self.filtered, self.rejects)

    def add(self, other: "Outcome") -> None:
        """Adds what an answer to a sender tells."""
        self.stored += other.stored
        self.late += other.late
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts
        self.filtered += other.filtered
        self.rejects += other.rejects


class Accounts:
    """Keeps the counters, and tells of rejects once a minute and reason."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._untold: Counter[str] = Counter()
        self._told: dict[str, float] = {}

    def commit_took(self, seconds: float) -> None:
        self._metrics.commit_seconds.observe(seconds)

    def add(self, outcome: Outcome) -> None:
        metrics = self._metrics
        metrics.positions.inc(outcome.stored)
        metrics.late.inc(outcome.late)
        metrics.duplicates.inc(outcome.duplicates)
        metrics.conflicts.inc(outcome.conflicts)
        metrics.filtered.inc(outcome.filtered)
        for event_type, count in outcome.events.items():
            metrics.events.labels(event_type).inc(count)
        done = now()
        for fixes in outcome.evaluated:
            metrics.from_sample_seconds.observe((done - fixes.sample_time) / 1000)
            metrics.from_receipt_seconds.observe((done - fixes.received_time) / 1000)
        for each in outcome.rejects:
            metrics.rejects.labels(each.reason).inc(each.count)
            self._untold[each.reason] += each.count
        for each in {each.reason: each for each in outcome.rejects}.values():
            self._tell(each)
        log.debug(
            "tracker.batch_committed",
            positions=outcome.stored,
            evaluated=sum(map(len, outcome.evaluated)),
            events=outcome.events.total(),
            rejects=len(outcome.rejects),
        )

    def _tell(self, latest: Reject) -> None:
        time_now = time.monotonic()
        if time_now - self._told.get(latest.reason, -REJECTS_LOGGED_EVERY) < REJECTS_LOGGED_EVERY:
            return
        self._told[latest.reason] = time_now
        log.warning(
            "tracker.rejected",
            reason=latest.reason,
            count=self._untold.pop(latest.reason),
            latest=latest.detail,
            topic=latest.topic,
            device_id=latest.device_id,
        )
