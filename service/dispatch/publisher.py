"""One connection to a broker for publishing at QoS 1, driven in the caller's thread.

Rules of the protocol: https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
"""

import selectors
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt import client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import NO_SUBSCRIBER
from ingest.mqtt.reasons import FAILURE
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.visible_text import visible

IN_FLIGHT = 20
"""Unacknowledged publications at once: paho's own limit, or fewer where the broker asks for fewer."""
ANSWER_SECONDS = 15.0
"""How long the broker may be silent while we wait for it."""
LASTING: Final = frozenset({0x87, 0x90, 0x99})
"""Section 3.4.2.1: not authorized, topic name invalid, payload format invalid."""
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published; `alert` tells them apart."""

    alert: int
    topic: str
    payload: bytes


class Publisher:
    """Connects at the first publication. Once the connection has ended, `trouble` says why: take another."""

    def __init__(self, endpoint: MqttEndpoint) -> None:
        """Raises EndpointError."""
        self.connected = False
        self.trouble = ""
        self._url = endpoint.url
        self._in_flight = IN_FLIGHT
        self._alerts: dict[int, int] = {}  # message id -> alert
        self._outcomes: dict[int, DeliveryOutcome] = {}
        self._client = endpoint.client(persistent=False)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect

    def publish(self, publications: Sequence[Publication]) -> dict[int, DeliveryOutcome]:
        """Publishes in order and waits: outcomes, by alert, of what the broker answered for.

        That is all of them, unless the connection could not be made or was lost.
        """
        self._outcomes = {}
        if self.connected or self._connect():
            waiting = list(reversed(publications))
            while waiting and not self.trouble:
                self._send(waiting)
                self._wait(lambda: len(self._alerts) < self._in_flight)
            self._wait(lambda: not self._alerts)
        return self._outcomes

    def service(self, seconds: float) -> None:
        """Takes and gives what is to be exchanged, within so many seconds."""
        connection = self._client.socket()
        if connection is None:
            self._fail("the connection was lost")
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._client.want_write() else 0)
        decrypted = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        with selectors.DefaultSelector() as selector:
            selector.register(connection, wanted)
            ready = selector.select(0 if decrypted else seconds)
        happened = ready[0][1] if ready else 0
        if decrypted or happened & selectors.EVENT_READ:
            self._client.loop_read()
        if happened & selectors.EVENT_WRITE:
            self._client.loop_write()
        self._client.loop_misc()

    def close(self) -> None:
        """Says good-bye, if there is anybody."""
        self._client.disconnect()
        connection = self._client.socket()
        if connection is not None:
            connection.close()
        self.connected = False

    def _connect(self) -> bool:
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be
            self._fail(str(error))
            return False
        self._wait(lambda: self.connected)
        return self.connected

    def _send(self, waiting: list[Publication]) -> None:
        while waiting and len(self._alerts) < self._in_flight:
            each = waiting.pop()
            self._alerts[self._client.publish(each.topic, each.payload, qos=1).mid] = each.alert

    def _wait(self, done: Callable[[], bool]) -> None:
        """Services the connection until done, lost, or silent for too long."""
        deadline, open_answers = time.monotonic() + ANSWER_SECONDS, len(self._alerts)
        while not self.trouble and not done():
            left = deadline - time.monotonic()
            if left <= 0:
                self._fail(f"the broker did not answer within {ANSWER_SECONDS:g} s")
                return
            self.service(left)
            if len(self._alerts) != open_answers:
                deadline, open_answers = time.monotonic() + ANSWER_SECONDS, len(self._alerts)

    def _fail(self, trouble: str) -> None:
        self.connected = False
        self.trouble = self.trouble or visible(f"{self._url}: {trouble}", REASON_LENGTH)

    def _on_connect(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._fail(f"the broker refuses us: {reason}")
            return
        self.connected = True
        self._in_flight = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))

    def _on_publish(
        self, _client: mqtt.Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        alert = self._alerts.pop(mid, None)
        if alert is not None:
            self._outcomes[alert] = self._outcome(reason)

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._fail(f"the connection was lost: {reason}")

    def _outcome(self, reason: ReasonCode) -> DeliveryOutcome:
        code = reason.value
        answer = f"{self._url}: {reason} (0x{code:02x})"
        if code < FAILURE:
            return Sent(f"{answer}: nobody subscribes to it" if code == NO_SUBSCRIBER else answer)
        return Permanent(answer) if code in LASTING else Temporary(answer)
