"""Retention: positions and events older than they are to be kept, and rejects, go."""

import threading
from collections.abc import Sequence

import structlog

from service.errors import StoreAway
from service.intake import DAY
from service.ownership.duties import Duty, OwnDuty
from service.store.audit import delete_old_audit
from service.store.columns import on_postgres
from service.store.database import Database
from service.store.devices import delete_ended_visits, device_keys
from service.store.events import delete_events_before
from service.store.expiry import note_expiry
from service.store.partitions import drop_days_before
from service.store.positions import delete_positions_before
from service.store.rejects import KEPT_DAYS, delete_old_rejects
from service.timestamps import now

EVERY_SECONDS = 60.0
DEVICES_AT_ONCE = 200  # in one commit, so that the tracker never waits long
EVENTS_AT_ONCE = 2_000
AUDIT_DAYS = 400.0

log = structlog.get_logger("overfly")


class Retention:
    """days: how long positions and events are kept, None for ever; audit_days: who changed what. Rejects are
    kept for a week.

    channels: who is still to be told of an event before it goes. duty: where several could, one does.
    """

    def __init__(
        self,
        database: Database,
        days: float | None,
        channels: Sequence[str] = (),
        duty: Duty | None = None,
        audit_days: float = AUDIT_DAYS,
    ) -> None:
        self._database = database
        self._days = days
        self._audit_days = audit_days
        self._channels = channels
        self._duty = duty or OwnDuty()
        self._stop = threading.Event()

    def run(self) -> None:
        """Every minute, until `stop`."""
        while not self._stop.is_set():
            try:
                if self._duty.held:
                    self.expire(now())
            except StoreAway as error:
                log.warning("retention.store_away", error=str(error))
            self._stop.wait(EVERY_SECONDS)

    def stop(self) -> None:
        self._stop.set()

    def expire(self, at: int) -> None:
        """Drops what is too old at this time, in milliseconds. Raises StoreAway."""
        oldest = None if self._days is None else at - round(self._days * DAY)
        with self._database.write() as connection:
            rejects = delete_old_rejects(connection, at - KEPT_DAYS * DAY)
            audit = delete_old_audit(connection, at - round(self._audit_days * DAY))
            delete_ended_visits(connection)
            if oldest is not None:
                note_expiry(connection, oldest)
        positions = events = 0
        if oldest is not None:
            if self._drop_days(oldest):
                positions = self._expire_positions(oldest)
            events = self._expire_events(oldest)
        if rejects or positions or events or audit:
            log.info("retention.expired", positions=positions, events=events, rejects=rejects, audit=audit)

    def _drop_days(self, oldest: int) -> bool:
        """Answers whether what is still there is to go row by row."""
        try:
            with self._database.write() as connection:
                dropped = drop_days_before(connection, oldest) if on_postgres(connection) else []
        except StoreAway as error:  # a backup, perhaps, which reads them: tried again, not row by row
            log.warning("retention.days_stay", error=str(error))
            return False
        if dropped:
            log.info("retention.dropped_days", first=dropped[0], last=dropped[-1], days=len(dropped))
        return True

    def _expire_positions(self, oldest: int) -> int:
        dropped, last = 0, 0
        while not self._stop.is_set():
            with self._database.write() as connection:
                keys = device_keys(connection, last, DEVICES_AT_ONCE)
                dropped += sum(delete_positions_before(connection, key, oldest) for key in keys)
            if not keys:
                break
            last = keys[-1]
        return dropped

    def _expire_events(self, oldest: int) -> int:
        dropped = 0
        while not self._stop.is_set():
            with self._database.write() as connection:
                some = delete_events_before(connection, oldest, self._channels, EVENTS_AT_ONCE)
            dropped += some
            if some < EVENTS_AT_ONCE:
                break
        return dropped
