"""What a hop between two brokers or queues shows of itself at /metrics."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.errors import SettingsError

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
