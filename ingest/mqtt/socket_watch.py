"""Waiting for one socket, unless another thread says to stop waiting."""

import selectors
import socket
from contextlib import suppress
from typing import Any, Final

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE


class SocketWatch:
    """Waits until a socket can be read or written, or until `wake` is called."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._selector.register(self._reader, READ)
        self._interest = 0

    def wait(self, sock: Any, interest: int, seconds: float) -> tuple[int, bool]:
        """What of `interest` (READ | WRITE) the socket is ready for, and whether somebody woke us."""
        self._watch(sock, interest)
        ready, woken = 0, False
        for key, mask in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._reader:
                woken = True
            else:
                ready = mask
        if woken:
            self._forget_wakes()
        return ready, woken

    def pause(self, seconds: float) -> bool:
        """Waits for nothing but `wake`: whether it came."""
        woken = bool(self._selector.select(max(0.0, seconds)))
        if woken:
            self._forget_wakes()
        return woken

    def forget(self, sock: Any) -> None:
        """To be called before the socket is closed."""
        self._watch(sock, 0)

    def wake(self) -> None:
        """From any thread or a signal handler."""
        with suppress(OSError):  # full: it is awake already; closed: nobody waits
            self._writer.send(b"\0")

    def close(self) -> None:
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def _watch(self, sock: Any, interest: int) -> None:
        if interest == self._interest:
            return
        if not interest:
            self._selector.unregister(sock)
        elif not self._interest:
            self._selector.register(sock, interest)
        else:
            self._selector.modify(sock, interest)
        self._interest = interest

    def _forget_wakes(self) -> None:
        with suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
