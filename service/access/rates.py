"""Rates: how many requests a second each caller may send; what it has saved up comes to one second's."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from service.access.refusals import TooFast

KEPT_AT_MOST: Final = 10_000


class Rates:
    """A bucket of tokens for each caller. Of one thread; `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at

    def take(self, of: str, rate: float) -> None:
        """Counts a request. Raises TooFast, with the seconds after which there is a token again."""
        now, most = self._monotonic(), max(1.0, rate)
        tokens, at = self._buckets.pop(of, (most, now))
        tokens = min(most, tokens + (now - at) * rate)
        self._buckets[of] = (tokens - 1 if tokens >= 1 else tokens), now
        if len(self._buckets) > KEPT_AT_MOST:
            self._buckets.popitem(last=False)
        if tokens < 1:
            raise TooFast(
                f"more than {rate:g} requests a second, which is what this key may send", (1 - tokens) / rate
            )
