"""Events published at a broker, one message each: `overfly/events/<collection>/<geofence>`."""

import json
from collections.abc import Mapping, Sequence

from ingest.mqtt.connection import EndpointError, MqttEndpoint
from service.dispatch.gathering import EachEvent
from service.dispatch.lanes import outcomes_by_lane
from service.dispatch.outcomes import DeliveryOutcome, Temporary
from service.dispatch.publisher import Publication, Publisher
from service.store.alerts import PENDING_AT_ONCE, PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import native_events

KIND = "mqtt"
TOPIC_PREFIX = "overfly/events"


class MqttChannel:
    """Publishes each event by itself."""

    kind = KIND
    round_size = PENDING_AT_ONCE

    def __init__(self, endpoint: MqttEndpoint) -> None:
        """`endpoint` with a client id that nothing else uses. Raises EndpointError."""
        endpoint.client(persistent=False)
        self.gathering = EachEvent(
            KIND, lambda collection, geofence_id: f"{TOPIC_PREFIX}/{collection}/{geofence_id}"
        )
        self._endpoint = endpoint
        self._publisher: Publisher | None = None

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        with database.read() as connection:
            events = dict(native_events(connection, [alert.key for alert in alerts]))
        return outcomes_by_lane(alerts, events, self._publish)

    def rest(self) -> None:
        if self._publisher is not None:
            self._publisher.service(0)
            if not self._publisher.connected:
                self.close()

    def close(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    def _publish(
        self, told: Sequence[tuple[PendingAlert, Mapping[str, object]]]
    ) -> dict[int, DeliveryOutcome]:
        """Outcomes of all of them; the connection is kept as long as it holds."""
        if self._publisher is None:
            try:
                self._publisher = Publisher(self._endpoint)
            except EndpointError as error:  # a certificate that was there at the start
                return {alert.key: Temporary(str(error)) for alert, _ in told}
        answers = self._publisher.publish(
            [Publication(alert.key, alert.recipient, _payload(event)) for alert, event in told]
        )
        if not self._publisher.connected:
            lost = Temporary(self._publisher.trouble)
            self.close()
            return {alert.key: answers.get(alert.key, lost) for alert, _ in told}
        return answers


def _payload(event: Mapping[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
