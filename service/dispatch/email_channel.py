"""Mail to one recipient: at most one in an interval, which tells of all that came in between."""

from collections.abc import Mapping, Sequence

from service.dispatch.gathering import AtIntervals
from service.dispatch.mail import TOLD, Envelope, address, composed
from service.dispatch.outcomes import DeliveryOutcome, Permanent
from service.dispatch.smtp import SmtpServer
from service.store.alerts import PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import gathered_events

KIND = "email"


class EmailChannel:
    """`interval` in ms."""

    kind = KIND
    round_size = 1  # a mail may be large

    def __init__(
        self, server: SmtpServer, *, sender: str, recipient: str, interval: int, public_url: str
    ) -> None:
        """Raises SettingsError where `sender` or `recipient` is not an address."""
        self._server = server
        self._sender = address(sender)
        self._recipient = address(recipient)
        self._public_url = public_url
        self.gathering = AtIntervals(KIND, self._recipient, interval)

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        return {alert.key: self._deliver(database, alert) for alert in alerts}

    def rest(self) -> None:
        """Keeps no connection."""

    def close(self) -> None:
        """Keeps no connection."""

    def _deliver(self, database: Database, alert: PendingAlert) -> DeliveryOutcome:
        with database.read() as connection:
            events = gathered_events(connection, alert.key, TOLD)
        if not events.native:
            return Permanent("its events are forgotten")
        envelope = Envelope(
            alert.message_id, alert.created_time, self._sender, self._recipient, self._public_url
        )
        mail = composed(envelope, events).as_bytes()
        return self._server.deliver(self._sender, self._recipient, mail)
