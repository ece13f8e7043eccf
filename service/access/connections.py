"""Connections: how many there may be, and how slowly each may send and be read.

Beyond the limit the connection that has waited longest without a request at work is closed, of the address
that has most of them: whoever comes is let in, and ten thousand that only wait take nothing from others. A
request's head has so many seconds and so many bytes, an answer must be taken off again within so many. The
body's time is kept by `request_body`.
"""

import resource
from asyncio import TimerHandle, Transport
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 15.0
HEAD_BYTES: Final = 64 << 10
TAKEN_SECONDS: Final = 60.0
FILES_OF_OURS: Final = 512
"""Open files that are no connections: the database's, logs, and what is needed for a moment."""

FILES_FOR_HANDSHAKES: Final = 65_536
"""Asked for where it may be had: who has not done its TLS handshake, for a minute, is not counted here."""

HEAD_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
HEAD_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Connections:
    """Those of one server, `most` at once; the ones that wait for a request by address, the oldest first."""

    most: int
    count: int = 0
    waiting: dict[str, OrderedDict["BoundedProtocol", None]] = field(default_factory=dict)

    def waits(self, connection: "BoundedProtocol") -> None:
        of_address = self.waiting.setdefault(connection.address, OrderedDict())
        of_address[connection] = None
        of_address.move_to_end(connection)

    def works(self, connection: "BoundedProtocol") -> None:
        of_address = self.waiting.get(connection.address)
        if of_address is not None:
            of_address.pop(connection, None)
            if not of_address:
                del self.waiting[connection.address]

    def make_room(self) -> None:
        """Closes one that waits, where there are too many."""
        if self.count > self.most and self.waiting:
            address = max(self.waiting, key=lambda each: len(self.waiting[each]))
            oldest = next(iter(self.waiting[address]))
            self.works(oldest)
            oldest.transport.abort()


def protocol_of(connections: Connections) -> type["BoundedProtocol"]:
    """What uvicorn makes for each connection."""
    return type("ProtocolOfThese", (BoundedProtocol,), {"connections_here": connections})


def connections_possible(wanted: int) -> int:
    """As many as wanted, or as the files that this process may open let there be; asks for more of these."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = max(wanted + FILES_OF_OURS, FILES_FOR_HANDSHAKES)
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(16, min(wanted, soft - FILES_OF_OURS))


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's, with limits. Its handlers are asyncio's and httptools'."""

    connections_here: Connections

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.address = ""
        self._asked = False
        self._in_head = 0
        self._behind_head = False
        self._head_timer: TimerHandle | None = None
        self._taken_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.connections_here.count += 1
        self.connections_here.waits(self)
        self.connections_here.make_room()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections_here.count -= 1
        self.connections_here.works(self)
        self._cancel(self._head_timer, self._taken_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._asked:
            super().data_received(data)
            return
        self._in_head += len(data)
        super().data_received(data)
        if self._asked or self.transport.is_closing():
            return
        if self._in_head > HEAD_BYTES:
            self._end(HEAD_TOO_LONG)
        elif self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        self._behind_head = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._behind_head:  # what comes behind a body says nothing, and could go on without end
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._asked, self._in_head, self._behind_head = True, 0, True
        self._cancel(self._head_timer)
        self._head_timer = None
        self.connections_here.works(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._asked = not self.cycle.response_complete  # of those that were sent one after the other
        if not self._asked and not self.transport.is_closing():
            self.connections_here.waits(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taken_timer = self.loop.call_later(TAKEN_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel(self._taken_timer)
        super().resume_writing()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end, HEAD_TOO_SLOW)

    def _end(self, word: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(word)
            self.transport.close()

    @staticmethod
    def _cancel(*timers: TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()
