"""A way to PostgreSQL that is cut where a test says: around the COMMIT of what was stored.

It knows as much of the protocol as that takes: a simple query holds its text as it is.
https://www.postgresql.org/docs/15/protocol-message-formats.html
"""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

BEGIN: Final = b"BEGIN"
COMMIT: Final = b"COMMIT\0"
STORES: Final = b'COPY "position"'
LATE_SECONDS: Final = 1.5


class Cut(Enum):
    """What becomes of a COMMIT."""

    UNDELIVERED = auto()
    """The server never gets it."""
    UNANSWERED = auto()
    """The server has committed, and its answer is lost."""
    LATE = auto()
    """Who sent it is cut off first, and the server gets it when that one may have tried again already."""


@dataclass(slots=True)
class PostgresProxy:
    """Leads from `port` to the server's; a `with` starts and ends it."""

    server_port: int
    cuts: list[Cut] = field(default_factory=list)
    """What is to be done to the next transactions that store positions, in order."""
    done: list[Cut] = field(default_factory=list)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> "PostgresProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            _end(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [client, server]
            silent = threading.Event()
            threading.Thread(target=self._answers, args=(server, client, silent), daemon=True).start()
            threading.Thread(target=self._asks, args=(client, server, silent), daemon=True).start()

    def _answers(self, server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        """Server to client, until nothing is to come through any more."""
        while (said := _received(server)) and not silent.is_set():
            _send(client, said)
        silent.set()
        _end(client)

    def _asks(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        stores = False
        while said := _received(client):
            if BEGIN in said:
                stores = False
            stores = stores or STORES in said
            if stores and said.endswith(COMMIT) and self.cuts:
                self._cut(self.cuts.pop(0), said, client, server, silent)
                break
            _send(server, said)
        _end(server)

    def _cut(
        self, how: Cut, said: bytes, client: socket.socket, server: socket.socket, silent: threading.Event
    ) -> None:
        if how is not Cut.UNDELIVERED:
            silent.set()
        if how is Cut.LATE:
            _end(client)
            time.sleep(LATE_SECONDS)  # in which the one that is cut off tries again
        if how is not Cut.UNDELIVERED:
            _send(server, said)
            time.sleep(0.2)  # until it has committed
        _end(client)
        self.done.append(how)


def _received(by: socket.socket) -> bytes:
    try:
        return by.recv(1 << 20)
    except OSError:
        return b""


def _send(to: socket.socket, said: bytes) -> None:
    try:
        to.sendall(said)
    except OSError:
        _end(to)


def _end(which: socket.socket) -> None:
    with suppress(OSError):  # it has ended already
        which.shutdown(socket.SHUT_RDWR)
    which.close()
