"""What Prometheus reads at /metrics."""

import threading
from collections.abc import Callable, Iterable, Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
DELAY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class DelayHistogram(Collector):
    """A histogram that takes a column of durations at once; prometheus_client's own takes them one by one."""

    def __init__(
        self, registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float] = DELAY_BUCKETS
    ) -> None:
        self._name, self._text, self._bounds = name, text, np.array(buckets)
        self._counts = np.zeros(len(buckets) + 1, np.int64)
        self._sum = 0.0
        self._lock = threading.Lock()
        registry.register(self)

    def observe(self, seconds: NDArray[np.float64]) -> None:
        found = np.searchsorted(self._bounds, seconds, side="left")
        counts = np.bincount(found, minlength=len(self._counts))
        with self._lock:
            self._counts += counts
            self._sum += float(seconds.sum())

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            cumulative, total = np.cumsum(self._counts), self._sum
        bounds = [*(str(bound) for bound in self._bounds.tolist()), "+Inf"]
        buckets = list(zip(bounds, cumulative.tolist(), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=total)


class Metrics:
    """One registry, and what is counted in it."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry
        self.positions = Counter("overfly_positions", "Positions stored", registry=registry)
        self.late = Counter(
            "overfly_positions_late", "Positions stored, but too late to be evaluated", registry=registry
        )
        self.duplicates = Counter(
            "overfly_positions_duplicate", "Positions that were stored before, the same", registry=registry
        )
        self.conflicts = Counter(
            "overfly_positions_conflict",
            "Positions put aside: another is stored of this device and time",
            registry=registry,
        )
        self.filtered = Counter(
            "overfly_positions_filtered",
            "Positions that the filtering of their tracker left out: not stored, or not any more",
            registry=registry,
        )
        self.rejects = Counter(
            "overfly_rejects", "What was put aside, by reason", ["reason"], registry=registry
        )
        self.events = Counter("overfly_events", "Geofence events, by type", ["type"], registry=registry)
        self.deliveries = Counter(
            "overfly_deliveries",
            "Attempts to deliver, by channel and outcome",
            ["channel", "outcome"],
            registry=registry,
        )
        self.position_updates = Counter(
            "overfly_position_updates",
            "Attempts to put positions on the event bus, by outcome; gone: not stored any more; dropped: "
            "too many waited",
            ["outcome"],
            registry=registry,
        )
        self.position_updates_waiting = Gauge(
            "overfly_position_updates_waiting",
            "Positions that are still to be put on the event bus",
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "overfly_commit_seconds",
            "From the decoded batch to its commit",
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.from_sample_seconds = DelayHistogram(
            registry,
            "overfly_from_sample_seconds",
            "From a position's measurement to its evaluation's commit",
        )
        self.from_receipt_seconds = DelayHistogram(
            registry, "overfly_from_receipt_seconds", "From a position's receipt to its evaluation's commit"
        )
        self.store_away = Counter(
            "overfly_store_away", "Times that a commit had to wait for the database", registry=registry
        )
        self.source_connected = Gauge(
            "overfly_source_connected", "1 while the source is connected and subscribed", registry=registry
        )

        self.shards_owned = Gauge(
            "overfly_shards_owned", "Of 64 shards those that this worker evaluates", registry=registry
        )

    def show_queue(self, depth: Callable[[], int | None], held_seconds: Callable[[], float]) -> None:
        """Of a source that is a queue: what waits in it (None: not known), and what we hold of it."""
        waiting = Gauge(
            "overfly_source_queue_depth",
            "Messages that wait in the queue, about; NaN where we may not ask",
            registry=self.registry,
        )
        held = Gauge(
            "overfly_source_oldest_held_seconds",
            "Since the oldest message that is not deleted yet was received",
            registry=self.registry,
        )
        waiting.set_function(lambda: nan if (found := depth()) is None else found)
        held.set_function(held_seconds)
