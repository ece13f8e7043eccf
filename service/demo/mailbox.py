"""A mail server of the demo's own: it keeps what it is given and shows it."""

import threading
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.demo.told import Told

HOST = "127.0.0.1"
ACCEPTED = "250 Kept"


class Mailbox:
    """Keeps each mail as an .eml file in `folder`, from the entry of a `with` to its end."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"smtp://{HOST}:{port}"
        self.mails = 0
        self.text_messages = 0
        self._folder = folder
        self._new: list[Told] = []
        self._lock = threading.Lock()
        self._server = Controller(self, HOST, port, server_hostname="localhost", ident="Overfly demo mailbox")

    def __enter__(self) -> "Mailbox":
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def take_new(self) -> list[Told]:
        """The mails that have come since the last call, in order."""
        with self._lock:
            new, self._new = self._new, []
        return new

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Called by aiosmtpd, in its thread, for each mail."""
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101 - narrows: aiosmtpd decodes only where told to
        self.mails += 1
        file = self._folder / f"{self.mails:04d}.eml"
        file.write_bytes(content)
        message = message_from_bytes(content, policy=policy.default)
        body = message.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        with self._lock:
            self._new.append(
                Told("mail", tuple(envelope.rcpt_tos), str(message["subject"] or ""), text, file)
            )
        return ACCEPTED
