"""Tracker and dispatch in one process, without the API; SIGTERM drains it as it does `serve`."""

import signal
import threading
from types import FrameType

import structlog

from service.serve import WORKERS_DRAIN_SECONDS
from service.workers import Workers

log = structlog.get_logger("overfly")


def track(workers: Workers) -> int:
    """Works until SIGTERM or SIGINT, or until a worker dies; answers the exit status."""
    ended = threading.Event()
    _end_by_signal(ended)
    log.info("track.started")
    workers.start(died=ended.set)
    ended.wait()
    workers.stop()
    workers.join(WORKERS_DRAIN_SECONDS)
    log.info("track.stopped", failed=workers.failed)
    return 1 if workers.failed else 0


def _end_by_signal(ended: threading.Event) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)

    def end(number: int, _: FrameType | None) -> None:
        for each in numbers:  # later ones change nothing: the draining is bounded anyway
            signal.signal(each, signal.SIG_IGN)
        log.info("track.draining", signal=signal.Signals(number).name)
        ended.set()

    for each in numbers:
        signal.signal(each, end)
