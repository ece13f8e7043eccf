"""The way of an event out: outbox row, alert, receiver.

    gather    a write transaction makes alerts of outbox rows
    attempt   the channel talks to its receiver, while no transaction is open
    record    a write transaction keeps what became of each alert

Killed between attempt and record, we attempt the same alert again: receivers know it by its message id.
Nothing overtakes a pending alert of its lane, so a device's events arrive in order.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from service.dispatch import attempts
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.rounds import STORE_AWAY_SECONDS, Rounds
from service.errors import StoreAway
from service.metrics import Metrics
from service.ownership.duties import Duty, OwnDuty
from service.store.alerts import PendingAlert, change_alerts
from service.store.database import Database

OUTCOMES: Final = {Sent: "sent", Temporary: "temporary", Permanent: "permanent"}

log = structlog.get_logger()


class Gathering(Protocol):
    """How alerts are made of what waits in the outbox."""

    outbox_name: str
    """What its rows in the outbox bear as channel."""

    def is_due(self, connection: Connection, now: int) -> bool:
        """Whether alerts are to be made now (ms)."""

    def gather(self, connection: Connection, now: int) -> None:
        """Makes alerts of what waits in the outbox."""

    def pending(self, connection: Connection) -> list[PendingAlert]:
        """The alerts that are still to be delivered, in order."""


class Channel(Protocol):
    """A kind of receiver."""

    kind: str
    """What its alerts bear as channel: `email`, `sms`, `mqtt`, `eventbridge` or `sns`."""
    round_size: int
    """How many alerts it takes at once."""

    @property
    def gathering(self) -> Gathering:
        """How its alerts are made."""

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        """Attempts alerts in order: outcomes by the alert's key, of those that were attempted.

        Raises StoreAway, and then has sent nothing.
        """

    def rest(self) -> None:
        """Does what an open connection needs while nothing is to be sent; called every second or so."""

    def close(self) -> None:
        """Ends an open connection."""


class Dispatcher:
    """Delivers what a channel's outbox holds, in a thread of the caller's: `run`. `clock` gives ms."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        clock: Callable[[], int],
        metrics: Metrics,
        duty: Duty | None = None,
    ) -> None:
        """duty: that nobody else delivers for this channel, as far as it can be known before."""
        self._duty = duty or OwnDuty()
        self._database = database
        self._channel = channel
        self._clock = clock
        self._metrics = metrics
        self._rounds = Rounds(channel.kind)

    def wake(self) -> None:
        """Says, from any thread, that the outbox has something new."""
        self._rounds.wake()

    def run(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set; then returns within two seconds, or when the running attempt ends."""
        try:
            self._rounds.run(stop, lambda: self.round(stop), self._channel.rest)
        finally:
            self._channel.close()

    def round(self, stop: threading.Event) -> bool:
        """Gathers and attempts what is due now; answers whether there was anything. Raises StoreAway,
        DutyLost."""
        if not self._duty.held:
            return False
        channel, gathering, now = self._channel, self._channel.gathering, self._clock()
        with self._database.read() as connection:
            gathers = gathering.is_due(connection, now)
        if gathers:
            with self._database.write() as connection:
                self._duty.confirm(connection)
                gathering.gather(connection, now)
        with self._database.read() as connection:
            due = _due(gathering.pending(connection), now, channel.round_size)
        if due:
            self._duty.check()
            outcomes = channel.deliver(self._database, due)
            self._record([(alert, outcomes[alert.key]) for alert in due if alert.key in outcomes], stop)
        return gathers or bool(due)

    def _record(self, ended: Sequence[tuple[PendingAlert, DeliveryOutcome]], stop: threading.Event) -> None:
        """Keeps what became of alerts, however long the database is away: else they would be sent again."""
        now = self._clock()
        changes = [attempts.change(alert, outcome, now) for alert, outcome in ended]
        while True:
            try:
                with self._database.write() as connection:
                    self._duty.confirm(connection)
                    change_alerts(connection, changes)
                break
            except StoreAway as error:
                log.warning("dispatch.store_away", channel=self._channel.kind, error=str(error))
                if stop.wait(STORE_AWAY_SECONDS):
                    return
        self._report([outcome for _, outcome in ended])

    def _report(self, outcomes: Sequence[DeliveryOutcome]) -> None:
        kind = self._channel.kind
        counts = Counter(OUTCOMES[type(outcome)] for outcome in outcomes)
        for word, count in counts.items():
            self._metrics.deliveries.labels(kind, word).inc(count)
        reason = next((outcome.reason for outcome in outcomes if not isinstance(outcome, Sent)), None)
        if reason is None:
            log.info("dispatch.delivered", channel=kind, **counts)
        else:
            log.warning("dispatch.not_delivered", channel=kind, reason=reason, **counts)


def _due(pending: Sequence[PendingAlert], now: int, at_most: int) -> list[PendingAlert]:
    """The first alerts that may be attempted now: none behind one of its lane that still waits."""
    held: set[int] = set()
    due: list[PendingAlert] = []
    for alert in pending:
        if alert.lane in held or attempts.waits(alert, now):
            held.add(alert.lane)
        elif len(due) < at_most:
            due.append(alert)
    return due
