"""Threads that work as long as the process does; one that dies takes the process with it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger("overfly")


@dataclass(frozen=True, slots=True)
class Worker:
    """`run` works until `stop` is called from another thread."""

    name: str
    run: Callable[[], None]
    stop: Callable[[], None]


class Workers:
    """failed: the names of those that ended by an error. died: called, from that thread, when one does."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name=each.name, daemon=True) for each in workers
        ]
        self._died: Callable[[], None] = lambda: None
        self.failed: list[str] = []

    @property
    def names(self) -> list[str]:
        return [each.name for each in self._workers]

    def joined_by(self, worker: Worker) -> "Workers":
        """These, which were not started yet, and another one."""
        return Workers([*self._workers, worker])

    def start(self, died: Callable[[], None]) -> None:
        self._died = died
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Asks all to end. Does not wait."""
        for each in self._workers:
            each.stop()

    def join(self, seconds: float) -> None:
        """Waits for all to end, that long at most; names those that have not."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("serve.worker_left", worker=thread.name)

    def _run(self, worker: Worker) -> None:
        try:
            worker.run()
        except BaseException:  # whatever it is, it must not end in silence: the process ends and says why
            self.failed.append(worker.name)
            log.exception("serve.worker_died", worker=worker.name)
            self._died()
            raise
