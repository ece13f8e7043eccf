"""The wish to stop, as a terminal or a system says it."""

import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STEP = 0.1


class Stop:
    """Takes the signals that end a program, from the entry of a `with` to its end, and only notes them.

    So whoever runs can end in order, however often Ctrl-C is pressed.
    """

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def rest(self, seconds: float) -> bool:
        """Rests that long, or until it is wanted; whether it is not."""
        end = time.monotonic() + seconds
        while not self.wanted and (left := end - time.monotonic()) > 0:
            time.sleep(min(STEP, left))
        return not self.wanted

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.wanted = True
