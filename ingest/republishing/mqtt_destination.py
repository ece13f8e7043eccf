"""A broker as the republisher's destination: QoS 1, one connection, driven by the thread that calls `turn`.

What is under way when the connection breaks is published again by paho at the next one. MQTT 3.1.1 cannot say
that nobody subscribes: there an acknowledgement is all there is to know.
"""

from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.farewell import end
from ingest.mqtt.publisher import NO_SUBSCRIBER, WINDOW
from ingest.mqtt.reasons import FAILURE, refusal
from ingest.mqtt.session import MqttSession
from ingest.republishing.destination import Answer, Outcome

OUTCOMES: Final = {
    NO_SUBSCRIBER: Outcome.UNHEARD,
    0x87: Outcome.DENIED,  # not authorized
    0x90: Outcome.REFUSED,  # topic name invalid
    0x95: Outcome.TOO_LARGE,  # packet too large
    0x99: Outcome.REFUSED,  # payload format invalid
}
"""By reason code of the PUBACK (MQTT 5, 3.4.2.1). Others that say no are tried again."""
FRAME_BYTES: Final = 5 + 2 + 2 + 1
"""Of a PUBLISH beside topic and payload: header, length of topic, packet identifier, no properties."""


class MqttDestination:
    """Raises EndpointError where the endpoint's certificates cannot be read."""

    def __init__(self, endpoint: MqttEndpoint) -> None:
        self._session = MqttSession(endpoint, persistent=False, on_publish=self._puback)
        self._under_way: dict[int, tuple[int, str]] = {}
        self._answers: list[Answer] = []

    @property
    def url(self) -> str:
        return self._session.endpoint.url

    @property
    def ready(self) -> bool:
        return self._session.connected

    @property
    def has_room(self) -> bool:
        session = self._session
        return session.connected and len(self._under_way) < min(WINDOW, session.receive_maximum)

    def most_bytes(self, topic: str) -> int:
        return self._session.packet_bytes - FRAME_BYTES - len(topic.encode())

    @property
    def problem(self) -> str | None:
        return self._session.problem

    def publish(self, key: int, topic: str, payload: bytes) -> None:
        self._under_way[self._session.client.publish(topic, payload, qos=1).mid] = key, topic

    def turn(self, wait: float) -> list[Answer]:
        self._session.turn(wait)
        answers, self._answers = self._answers, []
        return answers

    def wake(self) -> None:
        self._session.wake()

    def close(self) -> None:
        end([self._session])

    def _puback(self, mid: int, reason: ReasonCode) -> None:
        key, topic = self._under_way.pop(mid, (None, ""))
        if key is None:
            return
        outcome = OUTCOMES.get(reason.value, Outcome.BUSY if reason.value >= FAILURE else Outcome.DELIVERED)
        detail = ""
        if outcome is Outcome.UNHEARD:
            detail = f"nobody subscribes to {topic} at the broker at {self.url}"
        elif outcome is not Outcome.DELIVERED:
            detail = f"the broker at {self.url} refuses what is published to {topic}: {refusal(reason)}"
        self._answers.append(Answer(key, outcome, detail))
