"""Ctrl-C and SIGTERM as commands take them."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from types import FrameType

import structlog

log = structlog.get_logger("overfly")


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """An event that Ctrl-C or SIGTERM sets; the second Ctrl-C ends the process."""
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def take(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, take)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def drain_at_signals(hop: str, stop: Callable[[], None], awaited: Callable[[], Mapping[str, object]]) -> None:
    """Each of them is logged, with what is `awaited` then, and stops the hop, which ends when what is under
    way has got through.
    """

    def take(number: int, _frame: FrameType | None) -> None:
        log.info(f"{hop}.draining", signal=signal.Signals(number).name, **awaited())
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, take)
