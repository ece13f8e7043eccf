"""What a hop between two brokers or queues says of itself in the log: what has changed, and what was done."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog

from service.hop_metrics import Readings

LOOK_SECONDS: Final = 0.5
TELL_SECONDS: Final = 60.0

log = structlog.get_logger("overfly")


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


class Done:
    """Says how much was done since it was last said; nothing where nothing was, and nothing waits."""

    def __init__(self, event: str, figures: Sequence[str], readings: Readings) -> None:
        """The name of the log event, and the counters that it shows beside `requests`, which count for
        nothing: asking an idle queue is a request too.
        """
        self._event, self._figures, self._readings = event, tuple(figures), readings
        self._told = readings()

    def tell(self) -> None:
        before, now = self._told, self._readings()
        self._told = now
        done = {name: int(now[name] - before[name]) for name in (*self._figures, "requests")}
        if any(done[name] for name in self._figures) or now["waiting"]:
            log.info(self._event, **done, waiting=int(now["waiting"]))
