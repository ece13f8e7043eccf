"""Waiting longer after each failure, with jitter, so that many clients do not come back at once."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays in seconds that double from `first` up to `longest`, each cut at random by up to a half."""

    first: float = 0.1
    longest: float = 30.0
    failures: int = 0

    def delay(self) -> float:
        """The delay after one more failure."""
        whole = min(self.longest, self.first * 2 ** min(self.failures, 30))
        self.failures += 1
        return random.uniform(whole / 2, whole)  # noqa: S311  # it spreads attempts and protects nothing

    def reset(self) -> None:
        self.failures = 0
