"""What a hop between two brokers or queues shows of itself: at /metrics, and as lines in the log."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.errors import SettingsError

LOOK_SECONDS: Final = 0.5
TELL_SECONDS: Final = 60.0

log = structlog.get_logger("overfly")

Readings = Callable[[], Mapping[str, float]]
"""The figures of a hop as they are now, by name; called by other threads than the hop's."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of them: its name without the hop's, what it is, and what it says."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str


class HopMetrics(Collector):
    """The figures of one hop as `overfly_<hop>_<name>`; counters end in `_total`."""

    def __init__(self, hop: str, figures: Sequence[Figure], readings: Readings) -> None:
        self._hop, self._figures, self._readings = hop, tuple(figures), readings

    def collect(self) -> Iterable[Metric]:
        values = self._readings()
        for figure in self._figures:
            family = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            yield family(f"overfly_{self._hop}_{figure.name}", figure.text, value=values[figure.name])


@contextmanager
def metrics_shown(collector: Collector, port: int | None) -> Iterator[None]:
    """At http://127.0.0.1:<port>/metrics for as long as the `with` lasts; nowhere where there is no port.

    Raises SettingsError.
    """
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise SettingsError(f"OVERFLY_METRICS_PORT: port {port} cannot be used: {error.strerror}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def watched(look: Callable[[], None], tell: Callable[[], None]) -> Iterator[None]:
    """Looks twice a second what has changed, and tells once a minute and at the end how much was done.

    In a thread of its own, so that the hop itself need not stop to log.
    """
    ended = threading.Event()

    def watch() -> None:
        told_at = time.monotonic()
        while not ended.wait(LOOK_SECONDS):
            look()
            if time.monotonic() >= told_at + TELL_SECONDS:
                told_at = time.monotonic()
                tell()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        look()
        tell()


class Changes:
    """Says what has become of one end of the hop: a problem, or that all is well. Each state once."""

    def __init__(self, trouble: str, recovery: str) -> None:
        """The names of the two log events."""
        self._trouble, self._recovery = trouble, recovery
        self._told: str | None = ""

    def note(self, problem: str | None) -> None:
        if problem == self._told:
            return
        self._told = problem
        if problem is not None:
            log.warning(self._trouble, problem=problem, next="tried again, with growing pauses")
        else:
            log.info(self._recovery)
