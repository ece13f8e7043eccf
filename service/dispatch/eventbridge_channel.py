"""Events put on an EventBridge bus, as Amazon Location would."""

from collections.abc import Mapping, Sequence

from service.dispatch.event_bus import BusEvent, EventBus
from service.dispatch.gathering import EachEvent
from service.dispatch.lanes import outcomes_by_lane
from service.dispatch.location_events import GEOFENCE_EVENT, geofence_event
from service.dispatch.outcomes import DeliveryOutcome
from service.store.alerts import PENDING_AT_ONCE, PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import WholeEvent, whole_events

KIND = "eventbridge"


class EventBridgeChannel:
    """Puts each event on the bus by itself. What is pending goes to the bus that is set now."""

    kind = KIND
    round_size = PENDING_AT_ONCE

    def __init__(self, bus: EventBus) -> None:
        self.gathering = EachEvent(KIND, lambda _collection, _geofence_id: bus.name)
        self._bus = bus

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        with database.read() as connection:
            events = dict(whole_events(connection, [alert.key for alert in alerts]))
        return outcomes_by_lane(alerts, events, self._put)

    def rest(self) -> None:
        """Needs nothing while nothing is to be sent."""

    def close(self) -> None:
        self._bus.close()

    def _put(self, told: Sequence[tuple[PendingAlert, WholeEvent]]) -> Mapping[int, DeliveryOutcome]:
        return self._bus.put(
            [
                BusEvent(
                    key=alert.key,
                    time=event.told.sample_time,
                    detail_type=GEOFENCE_EVENT,
                    detail=geofence_event(event),
                    tracker=event.told.of_tracker,
                    collection=event.told.collection_name,
                )
                for alert, event in told
            ]
        )
