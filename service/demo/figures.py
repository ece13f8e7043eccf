"""What a program shows of itself at its /metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Figures:
    """The samples of one look."""

    samples: Sequence[Sample]

    def total(self, name: str, **labels: str) -> int:
        """The sum of a metric's samples that have these labels; 0 where there are none."""
        return round(
            sum(
                sample.value
                for sample in self.samples
                if sample.name == name and labels.items() <= sample.labels.items()
            )
        )


class MetricsPage:
    """The page at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.Client(timeout=10, trust_env=False)

    def read(self) -> Figures:
        """Raises httpx.HTTPError where the program does not answer as it should."""
        answer = self._client.get(self._url)
        answer.raise_for_status()
        families = text_string_to_metric_families(answer.text)
        return Figures([sample for family in families for sample in family.samples])

    def is_there(self, name: str) -> bool:
        """Whether the program answers, and this metric of it is not 0."""
        try:
            return self.read().total(name) > 0
        except httpx.TransportError:
            return False  # not listening yet
