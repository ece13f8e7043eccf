"""What a hop between two brokers or queues says of itself in the log: what has changed, and what was done."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import structlog

from ingest.republishing.dead_letters import IDS, DeadLetter
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

    def __init__(self, trouble: str, recovery: str, facts: Mapping[str, object] | None = None) -> None:
        """The names of the two log events, and what both say of that end."""
        self._trouble, self._recovery, self._facts = trouble, recovery, facts or {}
        self._told: str | None = ""

    @property
    def troubled(self) -> bool:
        """Whether a problem is the last that was said."""
        return bool(self._told)

    def note(self, problem: str | None) -> None:
        if problem == self._told:
            return
        self._told = problem
        if problem is not None:
            log.warning(
                self._trouble, problem=problem, next="tried again, with growing pauses", **self._facts
            )
        else:
            log.info(self._recovery, **self._facts)


class Done:
    """Says how much was done since it was last said; nothing where nothing was, and nothing waits or is
    wrong. Where nothing was because something is wrong, it is a warning that says what.
    """

    def __init__(
        self,
        event: str,
        figures: Sequence[str],
        readings: Readings,
        problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """The name of the log event, and the counters that it shows beside `requests`, which count for
        nothing: asking an idle queue is a request too. `problem` is what is wrong now.
        """
        self._event, self._figures, self._readings = event, tuple(figures), readings
        self._problem = problem
        self._told = readings()

    def tell(self) -> None:
        before, now = self._told, self._readings()
        self._told = now
        done = {name: int(now[name] - before[name]) for name in (*self._figures, "requests")}
        nothing = not any(done[name] for name in self._figures)
        problem = self._problem() if nothing else None
        if problem is not None:
            log.warning(self._event, **done, waiting=int(now["waiting"]), problem=problem)
        elif not nothing or now["waiting"]:
            log.info(self._event, **done, waiting=int(now["waiting"]))


class PutAside:
    """Says what was put aside in the dead-letter queue: the first of a reason at once, and then once a minute
    how many there were and the latest of them. `add` may be called by any thread.
    """

    def __init__(self, event: str) -> None:
        """The name of the log event."""
        self._event = event
        self._untold: Counter[str] = Counter()
        self._latest: dict[str, DeadLetter] = {}
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, letters: Sequence[DeadLetter]) -> None:
        with self._lock:
            for letter in letters:
                self._untold[letter.undeliverable.reason] += 1
                self._latest[letter.undeliverable.reason] = letter

    def look(self) -> None:
        """Says what of its reason was not said within the last minute."""
        due = time.monotonic() - TELL_SECONDS
        self._tell([reason for reason in list(self._latest) if self._told.get(reason, due) <= due])

    def tell(self) -> None:
        """Says all that was not said yet."""
        self._tell(list(self._latest))

    def _tell(self, reasons: Sequence[str]) -> None:
        for reason in reasons:
            with self._lock:
                count, latest = self._untold.pop(reason), self._latest.pop(reason)
            self._told[reason] = time.monotonic()
            log.warning(
                self._event,
                reason=reason,
                count=count,
                detail=latest.undeliverable.detail,
                source_message_id=",".join(latest.sources[:IDS]),
                next="in the dead-letter queue: `overfly redrive` lists it",
            )
