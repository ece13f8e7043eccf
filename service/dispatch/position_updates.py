"""The way of a position to the event bus, for trackers that ask for it: outbox row, PutEvents, row deleted.

Killed between the two, we put the same position again: receivers know it by its device and SampleTime. A
device's positions go one after another, so they arrive in the order of their commits.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from ingest.backoff import Backoff
from service.dispatch.event_bus import BusEvent, EventBus
from service.dispatch.lanes import outcomes_by_lane
from service.dispatch.location_events import POSITION_EVENT, position_event
from service.dispatch.outbox import OUTCOMES
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.rounds import Rounds
from service.metrics import Metrics
from service.ownership.duties import Duty, OwnDuty
from service.store.database import Database
from service.store.position_updates import (
    WAITING_AT_MOST,
    delete_beyond,
    delete_position_updates,
)
from service.store.reading.position_updates import (
    PositionUpdate,
    WaitingUpdate,
    count_waiting,
    waiting_updates,
)

AT_ONCE: Final = 2_000

log = structlog.get_logger()


class PositionUpdates:
    """Puts what waits on the bus, in a thread of the caller's: `run`.

    `waiting`: how many there are, about. `trouble`: why they are not put now, or ''.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        metrics: Metrics,
        at_most: int = WAITING_AT_MOST,
        duty: Duty | None = None,
    ) -> None:
        """at_most: how many may wait; the oldest beyond are dropped. duty: nobody else puts them."""
        self._duty = duty or OwnDuty()
        self._database = database
        self._bus = bus
        self._metrics = metrics
        self._at_most = at_most
        self._done: list[int] = []  # told, but still in the outbox
        self._backoff = Backoff(first=1.0, longest=60.0)
        self._rounds = Rounds("position events")
        self.waiting = 0
        self.trouble = ""

    def wake(self) -> None:
        """Says, from any thread, that there is something new, or that it is time to stop."""
        self._rounds.wake()

    def run(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set; then returns within two seconds, or when the running attempt ends."""

        def rest() -> None:
            if self.trouble:
                stop.wait(self._backoff.delay())

        try:
            self._rounds.run(stop, self.round, rest)
        finally:
            self._bus.close()

    def round(self) -> bool:
        """Puts the first that wait; answers whether there were any. Raises StoreAway, DutyLost."""
        if not self._duty.held:
            return False
        self._forget_the_done()
        with self._database.read() as connection:
            self.waiting = count_waiting(connection)
        self._metrics.position_updates_waiting.set(self.waiting)
        if self.waiting == 0:
            return False
        if self.waiting > self._at_most:
            self._drop_the_oldest()
        with self._database.read() as connection:
            first = waiting_updates(connection, AT_ONCE)
        positions = {each.key: each.position for each in first if each.position is not None}
        gone = [each.key for each in first if each.position is None]
        self._duty.check()
        outcomes = outcomes_by_lane([each for each in first if each.key in positions], positions, self._put)
        told = [key for key, outcome in outcomes.items() if not isinstance(outcome, Temporary)]
        self._done = [*gone, *told]
        self._report(outcomes, len(gone))
        self._forget_the_done()
        return True

    def _put(self, waiting: Sequence[tuple[WaitingUpdate, PositionUpdate]]) -> Mapping[int, DeliveryOutcome]:
        return self._bus.put(
            [
                BusEvent(
                    key=update.key,
                    time=update.sample_time,
                    detail_type=POSITION_EVENT,
                    detail=position_event(update),
                    tracker=update.tracker_name,
                )
                for _, update in waiting
            ]
        )

    def _forget_the_done(self) -> None:
        if self._done:
            with self._database.write() as connection:
                delete_position_updates(connection, self._done)
            self._done = []

    def _drop_the_oldest(self) -> None:
        with self._database.write() as connection:
            dropped = delete_beyond(connection, self._at_most)
        self._metrics.position_updates.labels("dropped").inc(dropped)
        log.warning("dispatch.positions_dropped", count=dropped, waiting=self._at_most, reason=self.trouble)

    def _report(self, outcomes: Mapping[int, DeliveryOutcome], gone: int) -> None:
        counts = Counter(OUTCOMES[type(outcome)] for outcome in outcomes.values())
        counts["gone"] += gone
        for word, count in counts.items():
            self._metrics.position_updates.labels(word).inc(count)
        refused = [each.reason for each in outcomes.values() if isinstance(each, Permanent)]
        if refused:
            log.warning("dispatch.positions_refused", count=len(refused), reason=refused[0])
        held = next((each.reason for each in outcomes.values() if isinstance(each, Temporary)), "")
        if held and not self.trouble:
            log.warning("dispatch.positions_wait", waiting=self.waiting, reason=held)
        self.trouble = held
        if any(isinstance(each, Sent) for each in outcomes.values()):
            self._backoff.reset()
