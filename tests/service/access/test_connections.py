"""Connections: who only waits, sends slowly or does not read takes nothing from those who ask."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.access import connections
from service.access.connections import HEAD_BYTES, Connections, connections_possible, protocol_of
from tests.http_servers import served
from tests.waiting import wait_until

MOST = 40
LONG = 32 << 20
"""Bytes of an answer that no buffer of a socket holds."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with its path, or at length."""
    body = b"x" * LONG if scope["path"] == "/long" else scope["path"].encode()
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


def serving(held: Connections) -> AbstractContextManager[str]:
    """Who is connected at its end is not waited for."""
    return served(
        app, http=protocol_of(held), lifespan="off", timeout_graceful_shutdown=0, log_level="critical"
    )


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Connections:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "TAKEN_SECONDS", 0.3)
    return Connections(MOST)


@pytest.fixture
def url(held: Connections) -> Iterator[str]:
    with serving(held) as made:
        yield made


def connected(url: str) -> socket.socket:
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    made = socket.create_connection((where.hostname, where.port), timeout=30)
    made.settimeout(30)
    return made


def rest(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    content = b""
    try:
        while chunk := connection.recv(1 << 16):
            content += chunk
    except ConnectionResetError:
        pass
    connection.close()
    return content


def test_a_head_that_does_not_come_ends_its_connection(url: str) -> None:
    silent, slow, blank = connected(url), connected(url), connected(url)
    slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    blank.sendall(b"\r\n")
    for connection in (silent, slow, blank):
        assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_a_second_request_that_does_not_come_ends_its_connection_too(url: str) -> None:
    connection = connected(url)
    connection.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    connection.sendall(b"GET /b HTTP/1.1\r\n")
    assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_a_head_without_end_is_refused(url: str) -> None:
    connection = connected(url)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    with suppress(ConnectionError):  # it may be closed while we send
        for number in range(2 * HEAD_BYTES // 1000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 990))
    assert rest(connection)[:13] in (b"HTTP/1.1 431 ", b"")
    assert httpx.get(f"{url}/still").text == "/still"


def test_an_answer_that_nobody_reads_is_given_up(url: str, held: Connections) -> None:
    reader = connected(url)
    reader.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_until(lambda: held.count == 0, 20)
    assert len(rest(reader)) < LONG


def test_requests_sent_one_after_the_other_are_all_answered(url: str) -> None:
    connection = connected(url)
    connection.sendall(
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    content = rest(connection)
    assert (content.count(b"200 OK"), content.endswith(b"/b")) == (2, True)


def test_fields_behind_a_body_are_not_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    taken = HttpToolsProtocol.on_header
    monkeypatch.setattr(
        HttpToolsProtocol, "on_header", lambda self, *of: (kept.append(of[0]), taken(self, *of))
    )
    connection = connected(url)
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    behind = b"1\r\n[\r\n0\r\nX-Behind: y\r\nX-Behind: y\r\n\r\n"
    connection.sendall(head + behind + b"GET /b HTTP/1.1\r\nX-Next: x\r\nConnection: close\r\n\r\n")
    assert rest(connection).endswith(b"/b")
    assert kept == [b"Host", b"Transfer-Encoding", b"X-Next", b"Connection"]


def test_beyond_the_limit_the_one_that_waited_longest_goes_and_a_newcomer_is_answered(
    held: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 30.0)
    with serving(held) as url:
        waiting = [connected(url) for _ in range(MOST + 20)]
        assert [httpx.get(f"{url}/{number}").text for number in range(5)] == [f"/{n}" for n in range(5)]
        assert held.count <= MOST
        assert all(rest(connection) == b"" for connection in waiting[:20])
        waiting[-1].sendall(b"GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert rest(waiting[-1]).endswith(b"/late")
        for connection in waiting:
            connection.close()


def test_as_many_are_let_in_as_files_can_be_open() -> None:
    assert connections_possible(16) == 16
    assert connections_possible(10**9) < 10**9
