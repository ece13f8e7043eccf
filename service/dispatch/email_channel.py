"""Mail to one recipient: at most one in an interval, which tells of all that came in between."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from service.dispatch.mail import TOLD, Envelope, address, composed
from service.dispatch.outcomes import DeliveryOutcome, Permanent
from service.dispatch.smtp import SmtpServer
from service.store.alerts import PendingAlert, anything_waits, gather_mail, next_mail_time, pending_mails
from service.store.database import Database
from service.store.reading.alert_events import mail_events

KIND = "email"


class EmailChannel:
    """`interval` in ms. A recipient's channel is his alone, so that one who is refused delays nobody else."""

    kind = KIND
    round_size = 1  # a mail may be large

    def __init__(
        self, server: SmtpServer, *, sender: str, recipient: str, interval: int, public_url: str
    ) -> None:
        """Raises SettingsError where `sender` or `recipient` is not an address."""
        self._server = server
        self._sender = address(sender)
        self._recipient = address(recipient)
        self._interval = interval
        self._public_url = public_url
        self._not_before = 0
        self.outbox_name = f"{KIND}:{self._recipient}"

    def is_due(self, connection: Connection, now: int) -> bool:
        """A mail is made when none is pending and the last one is old enough: while the server is away, what
        comes is gathered into one mail, not into one a minute."""
        if 0 < self._not_before - now <= self._interval or not anything_waits(connection, self.outbox_name):
            return False
        if pending_mails(connection, self._recipient):
            return False
        self._not_before = next_mail_time(connection, self._recipient, self._interval)
        return not 0 < self._not_before - now <= self._interval  # a clock set back must not silence us

    def gather(self, connection: Connection, now: int) -> None:
        gather_mail(connection, self.outbox_name, self._recipient, now)

    def pending(self, connection: Connection) -> list[PendingAlert]:
        return pending_mails(connection, self._recipient)

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        return {alert.key: self._deliver(database, alert) for alert in alerts}

    def rest(self) -> None:
        """Keeps no connection."""

    def close(self) -> None:
        """Keeps no connection."""

    def _deliver(self, database: Database, alert: PendingAlert) -> DeliveryOutcome:
        with database.read() as connection:
            events = mail_events(connection, alert.key, TOLD)
        if not events.native:
            return Permanent("its events are forgotten")
        envelope = Envelope(
            alert.message_id, alert.created_time, self._sender, self._recipient, self._public_url
        )
        mail = composed(envelope, events).as_bytes()
        return self._server.deliver(self._sender, self._recipient, mail)
