"""How what waits in the outbox becomes alerts: one of each event, or one of all that came in an interval."""

from collections.abc import Callable

from sqlalchemy import Connection

from service.store.alerts import (
    PendingAlert,
    anything_waits,
    each_is_due,
    gather_all,
    gather_each,
    next_alert_time,
    pending_by_device,
    pending_for,
)


class EachEvent:
    """An alert of each event, in a lane for each device. recipient: of a collection and a geofence id."""

    def __init__(self, channel: str, recipient: Callable[[str, str], str]) -> None:
        self.outbox_name = channel
        self._recipient = recipient

    def is_due(self, connection: Connection, now: int) -> bool:
        return each_is_due(connection, self.outbox_name)

    def gather(self, connection: Connection, now: int) -> None:
        gather_each(connection, self.outbox_name, self._recipient, now)

    def pending(self, connection: Connection) -> list[PendingAlert]:
        return pending_by_device(connection, self.outbox_name)


class AtIntervals:
    """One alert for one recipient in `interval` ms at most, which tells of all that came in between.

    A recipient's outbox is his alone, so that one who is refused delays nobody else.
    """

    def __init__(self, kind: str, recipient: str, interval: int) -> None:
        self.outbox_name = f"{kind}:{recipient}"
        self._kind = kind
        self._recipient = recipient
        self._interval = interval
        self._not_before = 0

    def is_due(self, connection: Connection, now: int) -> bool:
        """An alert is made when none is pending and the last one is old enough: while the receiver is away,
        what comes is gathered into one, not into one a minute."""
        if 0 < self._not_before - now <= self._interval or not anything_waits(connection, self.outbox_name):
            return False
        if self.pending(connection):
            return False
        self._not_before = next_alert_time(connection, self._kind, self._recipient, self._interval)
        return not 0 < self._not_before - now <= self._interval  # a clock set back must not silence us

    def gather(self, connection: Connection, now: int) -> None:
        gather_all(connection, self.outbox_name, self._kind, self._recipient, now)

    def pending(self, connection: Connection) -> list[PendingAlert]:
        return pending_for(connection, self._kind, self._recipient)
