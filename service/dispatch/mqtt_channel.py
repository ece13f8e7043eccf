"""Events published at a broker, one message each: `overfly/events/<collection>/<geofence>`."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from ingest.mqtt_connection import EndpointError, MqttEndpoint
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Temporary
from service.dispatch.publisher import Publication, Publisher
from service.store.alerts import (
    PENDING_PUBLICATIONS,
    PendingAlert,
    gather_publications,
    pending_publications,
    publications_are_due,
)
from service.store.database import Database
from service.store.reading.alert_events import published_events

KIND = "mqtt"
TOPIC_PREFIX = "overfly/events"


class MqttChannel:
    """Publishes each event by itself."""

    kind = KIND
    outbox_name = KIND
    round_size = PENDING_PUBLICATIONS

    def __init__(self, endpoint: MqttEndpoint) -> None:
        """`endpoint` with a client id that nothing else uses. Raises EndpointError."""
        endpoint.client(persistent=False)
        self._endpoint = endpoint
        self._publisher: Publisher | None = None

    def is_due(self, connection: Connection, now: int) -> bool:
        return publications_are_due(connection, self.outbox_name)

    def gather(self, connection: Connection, now: int) -> None:
        gather_publications(connection, self.outbox_name, TOPIC_PREFIX, now)

    def pending(self, connection: Connection) -> list[PendingAlert]:
        return pending_publications(connection, self.outbox_name)

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        with database.read() as connection:
            events = dict(published_events(connection, [alert.key for alert in alerts]))
        outcomes: dict[int, DeliveryOutcome] = {
            alert.key: Permanent("its event is forgotten") for alert in alerts if alert.key not in events
        }
        refused_lanes: set[int] = set()
        for wave in _waves([alert for alert in alerts if alert.key in events]):
            free = [alert for alert in wave if alert.lane not in refused_lanes]
            if free:
                outcomes |= self._publish(
                    [Publication(alert.key, alert.recipient, _payload(events[alert.key])) for alert in free]
                )
            refused_lanes.update(alert.lane for alert in free if isinstance(outcomes[alert.key], Temporary))
        return outcomes

    def rest(self) -> None:
        if self._publisher is not None:
            self._publisher.service(0)
            if not self._publisher.connected:
                self.close()

    def close(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    def _publish(self, publications: Sequence[Publication]) -> dict[int, DeliveryOutcome]:
        """Outcomes of all of them; the connection is kept as long as it holds."""
        if self._publisher is None:
            try:
                self._publisher = Publisher(self._endpoint)
            except EndpointError as error:  # a certificate that was there at the start
                return {each.alert: Temporary(str(error)) for each in publications}
        answers = self._publisher.publish(publications)
        if not self._publisher.connected:
            lost = Temporary(self._publisher.trouble)
            self.close()
            return {each.alert: answers.get(each.alert, lost) for each in publications}
        return answers


def _payload(event: Mapping[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def _waves(alerts: Sequence[PendingAlert]) -> Iterator[list[PendingAlert]]:
    """Splits alerts so that each wave has one of a lane at most, in order: the broker answers for a wave
    before the next is sent, so that a refused event is not overtaken by its device's next."""
    waves: defaultdict[int, list[PendingAlert]] = defaultdict(list)
    seen: defaultdict[int, int] = defaultdict(int)
    for alert in alerts:
        waves[seen[alert.lane]].append(alert)
        seen[alert.lane] += 1
    yield from waves.values()
