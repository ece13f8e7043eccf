"""A real SMTP server for tests, which keeps what it is given."""

import email.message
import email.policy
import json
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.brokers import free_port


class Mailbox:
    """An SMTP server at 127.0.0.1; `mails` in order of arrival."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), data_size_limit=1 << 26)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    def event_ids(self) -> dict[str, set[str]]:
        """Of each event that was told, the Message-IDs of the mails that told it."""
        told: dict[str, set[str]] = {}
        for mail in self.mails:
            for event in events_in(mail):
                told.setdefault(event["eventId"], set()).add(mail["Message-ID"])
        return told

    def __enter__(self) -> Self:
        self.controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.controller.stop()


def events_in(mail: email.message.EmailMessage) -> list[dict[str, Any]]:
    """The native events attached to a mail."""
    (attached,) = [part for part in mail.iter_attachments() if part.get_filename() == "events.ndjson"]
    content = attached.get_content()
    text = content.decode() if isinstance(content, bytes) else content
    return [json.loads(line) for line in text.splitlines()]
