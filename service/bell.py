"""A bell: rung by who has something new, heard by those who wait for it."""

from collections.abc import Callable


class Bell:
    """Listeners are told in the ringing thread, and must only note it."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def ring(self) -> None:
        for listener in self._listeners:
            listener()
