"""Workers without the API; SIGTERM drains them as it does `serve`."""

import signal
import threading
from types import FrameType

import structlog

from service.serve import WORKERS_DRAIN_SECONDS
from service.workers import Workers

log = structlog.get_logger("overfly")


def work(command: str, workers: Workers) -> int:
    """Works until SIGTERM or SIGINT, or until a worker dies; answers the exit status."""
    ended = threading.Event()
    _end_by_signal(command, ended)
    log.info(f"{command}.started")
    workers.start(died=ended.set)
    ended.wait()
    workers.stop()
    workers.join(WORKERS_DRAIN_SECONDS)
    log.info(f"{command}.stopped", failed=workers.failed)
    return 1 if workers.failed else 0


def _end_by_signal(command: str, ended: threading.Event) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)

    def end(number: int, _: FrameType | None) -> None:
        for each in numbers:  # later ones change nothing: the draining is bounded anyway
            signal.signal(each, signal.SIG_IGN)
        log.info(f"{command}.draining", signal=signal.Signals(number).name)
        ended.set()

    for each in numbers:
        signal.signal(each, end)
