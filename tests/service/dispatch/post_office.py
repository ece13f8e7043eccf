"""A real SMTP server for tests, and raw ones that keep to no protocol."""

import email
import email.policy
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.brokers import free_port


@dataclass(frozen=True, slots=True)
class Received:
    recipients: tuple[str, ...]
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)

    @property
    def text(self) -> str:
        body = self.mail.get_body(("plain",))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")

    @property
    def event_ids(self) -> list[str]:
        (attachment,) = self.mail.iter_attachments()
        return [msgspec.json.decode(line)["eventId"] for line in attachment.get_content().splitlines()]


class PostOffice:
    """Takes mail at 127.0.0.1 and keeps it in `received`.

    `answers`: what it says to the next mails instead of 250 (they are not kept); `refusals`: what it says to
    recipients; `on_mail` is called when a mail is kept, before it is acknowledged.
    """

    def __init__(
        self,
        port: int | None = None,
        certificate: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.received: list[Received] = []
        self.answers: deque[str] = deque()
        self.refusals: dict[str, str] = {}
        self.on_mail: Callable[[], None] = lambda: None
        options: dict[str, Any] = {"ssl_context": certificate, "tls_context": starttls}
        if users is not None:
            self._users = users
            options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": False}
        self._controller = Controller(self, "127.0.0.1", self.port, **options)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the same
        if self.answers:
            return self.answers.popleft()
        self.received.append(Received(tuple(envelope.rcpt_tos), envelope.content))
        self.on_mail()
        return "250 taken"

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self._users.get(data.login.decode())
        good = known is not None and known.encode() == data.password
        return AuthResult(success=good, handled=good)


@contextmanager
def raw_server(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does with each connection what it is told; then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                converse(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def polite_until(connection: socket.socket, command: bytes) -> None:
    """Answers 250 to all commands until one begins so; that one is read and not answered."""
    connection.sendall(b"220 ready\r\n")
    for line in connection.makefile("rb"):
        if line.upper().startswith(command):
            return
        connection.sendall(b"250 fine\r\n")
