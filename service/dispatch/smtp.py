"""A mail server, and one conversation with it for each mail.

A server may be away, slow, hostile or broken: a conversation is bounded in time and in bytes, and whatever
goes wrong in it is an outcome. RFC 5321, section 4.2.1, tells what is for now (4yz) and what for ever (5yz);
our own credentials are the operator's to mend, so what the server says of them is for now, whatever its code.
"""

import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.visible_text import visible
from service.errors import SettingsError

Security = Literal["none", "starttls", "tls"]

SCHEMES: Final[dict[str, tuple[Security, int]]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
OF_CREDENTIALS = frozenset({530, 534, 535, 538})
"""RFC 4954, section 6: authentication is required, too weak, invalid, or wants encryption."""
CONNECT_SECONDS = 10.0
CONVERSATION_SECONDS = 60.0
QUIT_SECONDS = 2.0
REPLY_BYTES = 1 << 20
"""What a server may say in one conversation."""
PIECE_BYTES = 1 << 14
REASON_LENGTH = 300
READY, START_MAIL, AUTHENTICATED = 220, 354, 235


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. `seconds` bounds a whole conversation; `tls` is whom to trust."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    seconds: float = CONVERSATION_SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False, compare=False)

    @classmethod
    def from_url(cls, url: str, seconds: float = CONVERSATION_SECONDS) -> Self:
        """Of `smtp+starttls://user:password@host:587` and the like, percent-encoded.

        Raises SettingsError, which repeats nothing of the URL: in a wrong one a password may be anywhere.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, _host(parts)
        except ValueError:  # UnicodeError is one
            raise SettingsError("the SMTP URL has a host or port that cannot be") from None
        if parts.scheme not in SCHEMES or not host or parts.path.strip("/") or parts.query or parts.fragment:
            raise SettingsError(
                "an SMTP URL is smtp://host:25, smtp+starttls://user:password@host:587 or smtps://host:465, "
                "with `/`, `#`, `?` and `@` in the user or password as %2F, %23, %3F and %40"
            )
        security, default_port = SCHEMES[parts.scheme]
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(host, port or default_port, security, username, password, seconds)

    def deliver(self, sender: str, recipient: str, mail: bytes) -> DeliveryOutcome:
        """Hands in one mail (7-bit, CRLF) for one recipient, in `seconds` and the name's look-up at most."""
        return self._converse(
            sender.rpartition("@")[2],
            lambda conversation: _transaction(conversation, sender, recipient, mail),
        )

    def greet(self, our_name: str) -> DeliveryOutcome:
        """Connects, encrypts and authenticates as for a mail, and hands none in."""
        return self._converse(our_name, lambda _: Sent("answers, and lets us in"))

    def _converse(self, our_name: str, part: Callable[["_Conversation"], DeliveryOutcome]) -> DeliveryOutcome:
        conversation = _Conversation(self, our_name)
        try:
            conversation.begin()
            outcome = part(conversation)
            conversation.quit_politely()
        except smtplib.SMTPResponseException as error:
            outcome = Temporary(_reply(error.smtp_code, error.smtp_error))
        except OSError as error:
            outcome = Temporary(str(error.strerror or error))
        except ValueError:  # what smtplib makes of nonsense; its text may hold what we sent
            outcome = Temporary("the mail server answers nonsense")
        finally:
            conversation.close()
        return self._shown(outcome)

    def _shown(self, outcome: DeliveryOutcome) -> DeliveryOutcome:
        """The outcome without our secrets, which a server may have echoed, and without harm."""
        text = outcome.answer if isinstance(outcome, Sent) else outcome.reason
        secrets = (f"\0{self.username}\0{self.password}", self.password) if self.password else ()
        for secret in secrets:
            text = text.replace(b64encode(secret.encode()).decode(), "***").replace(secret, "***")
        return type(outcome)(visible(f"{self.host}:{self.port}: {text}", REASON_LENGTH))


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").encode("idna").decode("ascii")


def _transaction(conversation: "_Conversation", sender: str, recipient: str, mail: bytes) -> DeliveryOutcome:
    """Section 3.3 of RFC 5321: MAIL, RCPT, DATA."""
    size = [f"size={len(mail)}"] if conversation.has_extn("size") else []
    code, answer = conversation.mail(sender, size)
    if _good(code):
        code, answer = conversation.rcpt(recipient)
    if _good(code):
        try:
            code, answer = conversation.data(mail)
        except smtplib.SMTPDataError as refusal:
            code, answer = refusal.smtp_code, _bytes(refusal.smtp_error)
            if _good(code):
                raise  # 250 where 354 is due: nothing was handed in
    if _good(code):
        return Sent(_reply(code, answer))
    lasting = 500 <= code <= 599 and code not in OF_CREDENTIALS
    return (Permanent if lasting else Temporary)(_reply(code, answer))


def _good(code: int) -> bool:
    return 200 <= code <= 299


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _reply(code: int, answer: bytes | str) -> str:
    words = _bytes(answer).decode("utf-8", "replace")
    return f"{code} {words}" if 200 <= code <= 599 else f"no SMTP reply but: {words}"


class _Conversation(smtplib.SMTP):
    """smtplib's, with one deadline for all of it and a limit to what the server may say."""

    def __init__(self, server: SmtpServer, our_name: str) -> None:
        super().__init__(local_hostname=our_name)
        self._server = server
        self._deadline = time.monotonic() + server.seconds
        self._room = REPLY_BYTES

    def begin(self) -> None:
        """Connects, greets, encrypts and authenticates, as the URL says. Raises OSError and ValueError."""
        server = self._server
        timeout = min(CONNECT_SECONDS, self._left())
        self.sock = socket.create_connection((server.host, server.port), timeout)
        if server.security == "tls":
            self._encrypt()
        code, answer = self.getreply()
        if code != READY:
            raise smtplib.SMTPResponseException(code, answer)
        self.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            self._start_tls()
        if server.username:
            self._authenticate()

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Replies(self)
        return super().getreply()

    def send(self, s: bytes | str) -> None:  # type: ignore[override]  # smtplib itself sends only these two
        data = memoryview(_bytes(s))
        for start in range(0, len(data), PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(self._left())
            super().send(data[start : start + PIECE_BYTES])

    def receive(self) -> bytes:
        """What the server says next, b"" at the end. Raises OSError when time or room is over."""
        if self.sock is None:
            return b""
        self.sock.settimeout(self._left())
        received = self.sock.recv(4096)
        self._room -= len(received)
        if self._room < 0:
            raise OSError("the mail server does not stop talking")
        return received

    def quit_politely(self) -> None:
        """QUIT, whose answer changes nothing."""
        self._deadline = min(self._deadline, time.monotonic() + QUIT_SECONDS)
        with suppress(OSError, ValueError):
            self.docmd("QUIT")

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the mail server took longer than {self._server.seconds:g} s")
        return left

    def _start_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise OSError("the mail server does not offer STARTTLS, and nothing is sent in the clear")
        code, answer = self.docmd("STARTTLS")
        if code != READY:
            raise smtplib.SMTPResponseException(code, answer)
        self._encrypt()
        # RFC 3207, section 4.2: forget what was said before
        self.file = self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self.ehlo_or_helo_if_needed()

    def _encrypt(self) -> None:
        assert self.sock is not None  # noqa: S101 - narrows the type: we have just connected
        self.sock.settimeout(self._left())
        self.sock = self._server.tls.wrap_socket(self.sock, server_hostname=self._server.host)

    def _authenticate(self) -> None:
        username, password = self._server.username, self._server.password
        if (username + password).isascii():
            self.login(username, password)
            return
        token = b64encode(f"\0{username}\0{password}".encode()).decode()  # RFC 4616: in UTF-8
        code, answer = self.docmd("AUTH", f"PLAIN {token}")
        if code != AUTHENTICATED:
            raise smtplib.SMTPAuthenticationError(code, answer)


class _Replies:
    """The lines that a server says, as smtplib reads them from a file."""

    def __init__(self, conversation: _Conversation) -> None:
        self._conversation = conversation
        self._received = bytearray()

    def readline(self, limit: int) -> bytes:
        while (end := self._received.find(b"\n")) < 0 and len(self._received) < limit:
            received = self._conversation.receive()
            if not received:
                break
            self._received += received
        taken = limit if end < 0 else min(limit, end + 1)
        line = bytes(self._received[:taken])
        del self._received[:taken]
        return line

    def close(self) -> None:
        """Nothing is to be closed: the socket is the conversation's."""
