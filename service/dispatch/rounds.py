"""The rounds of a worker of dispatch: at once while there is something to do, else when it is nudged."""

import threading
from collections.abc import Callable

import structlog

from service.errors import DutyLost, StoreAway

POLL_SECONDS = 1.0
"""How long it waits for a nudge: also what stopping takes at most, and how late a retry may be."""
STORE_AWAY_SECONDS = 1.0

log = structlog.get_logger()


class Rounds:
    """`name` is what logs call the worker."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nudged = threading.Event()

    def wake(self) -> None:
        """Says, from any thread, that there is something new, or that it is time to stop."""
        self._nudged.set()

    def run(self, stop: threading.Event, turn: Callable[[], bool], after: Callable[[], None]) -> None:
        """Calls `turn` until `stop` is set, and `after` each; then returns within two seconds, or when the
        running turn ends.

        `turn` answers whether there was anything to do; where it raises StoreAway it is called again later,
        and where it raises DutyLost, too, to stand by.
        """
        while not stop.is_set():
            if not self._patient(turn, stop):
                self._nudged.wait(POLL_SECONDS)
            self._nudged.clear()
            after()

    def _patient(self, turn: Callable[[], bool], stop: threading.Event) -> bool:
        try:
            return turn()
        except DutyLost:  # said already
            return False
        except StoreAway as error:
            log.warning("dispatch.store_away", channel=self._name, error=str(error))
            stop.wait(STORE_AWAY_SECONDS)
            return True
