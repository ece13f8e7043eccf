"""Waiting for sockets, one or many, unless another thread says to stop waiting."""

import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE


class SocketWatch:
    """Waits until a socket can be read or written, or until `wake` is called.

    `ended_at` is when the last wait ended (monotonic clock), `waited` how long it took, and `waited_in_all`
    how long all have taken, in seconds.
    """

    def __init__(self) -> None:
        self.ended_at = self.waited = self.waited_in_all = 0.0
        self._selector = selectors.DefaultSelector()
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._selector.register(self._reader, READ)
        self._interest: dict[Any, int] = {}

    def watch(self, sock: Any, interest: int, owner: object) -> None:
        """From now on waits for `interest` (READ | WRITE, or 0 for nothing) of the socket."""
        before = self._interest.get(sock, 0)
        if interest == before:
            return
        if not interest:
            self._selector.unregister(sock)
            del self._interest[sock]
            return
        if before:
            self._selector.modify(sock, interest, owner)
        else:
            self._selector.register(sock, interest, owner)
        self._interest[sock] = interest

    def forget(self, sock: Any) -> None:
        """To be called before the socket is closed."""
        self.watch(sock, 0, None)

    def wait(self, seconds: float) -> tuple[Mapping[object, int], bool]:
        """By owner, what of `interest` their sockets are ready for; and whether somebody woke us."""
        started = time.monotonic()
        ready, woken = {}, False
        for key, mask in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._reader:
                woken = True
            else:
                ready[key.data] = mask
        if woken:
            self._forget_wakes()
        self.ended_at = time.monotonic()
        self.waited = self.ended_at - started
        self.waited_in_all += self.waited
        return ready, woken

    def wake(self) -> None:
        """From any thread or a signal handler."""
        with suppress(OSError):  # full: it is awake already; closed: nobody waits
            self._writer.send(b"\0")

    def close(self) -> None:
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def _forget_wakes(self) -> None:
        with suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
