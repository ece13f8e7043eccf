"""Publishing many messages at QoS 1, in order, without loss over reconnections."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from paho.mqtt.reasoncodes import ReasonCode

from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.farewell import end
from ingest.mqtt.reasons import FAILURE, refusal
from ingest.mqtt.session import ANSWER_SECONDS, MqttSession

WINDOW: Final = 500
"""Most messages that are unacknowledged at once."""
NO_SUBSCRIBER: Final = 0x10
"""PUBACK: accepted, but nobody has subscribed to it (MQTT 5, 3.4.2.1)."""
PROGRESS_SECONDS: Final = 0.25
FAREWELL_SECONDS: Final = 2.0
"""How long acknowledgements are waited for after `stop`."""


class BrokerAway(Exception):
    """There is no connection to be had at first; later ones are waited for."""


class PublicationRefused(Exception):
    """The broker does not take a message from us (MQTT 5; 3.1.1 cannot say so)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far publishing has come.

    Messages given to the broker, acknowledged by it, and of those the ones that nobody had subscribed to;
    seconds since the first; the fraction of the whole where it is known; what is wrong with the connection.
    """

    published: int
    acknowledged: int
    unheard: int
    seconds: float
    fraction: float | None
    problem: str | None


class MqttPublisher:
    """Publishes from the entry of a `with` to its end, where it waits for what is not acknowledged yet.

    The first connection is made on entry: raises BrokerAway. Later ones are made again, and what was not
    acknowledged is published again, first and in order. A PUBACK that says no raises PublicationRefused
    from the next call. `progress` is called four times a second at most; when `stop` is set, nothing blocks
    for long.
    """

    def __init__(
        self,
        endpoint: MqttEndpoint,
        *,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.fraction: float | None = None
        self._progress, self._stop = progress, stop or threading.Event()
        self._published = self._acknowledged = self._unheard = 0
        self._started = self._ended = self._told_at = time.monotonic()
        self._topics: dict[int, str] = {}
        self._refused: str | None = None
        self._session = MqttSession(endpoint, persistent=False, on_publish=self._puback)

    def __enter__(self) -> Self:
        session = self._session
        deadline = time.monotonic() + 2 * ANSWER_SECONDS
        while not session.connected and session.problem is None and time.monotonic() < deadline:
            session.turn(0.25)
        if not session.connected:
            end([session])
            raise BrokerAway(session.problem or f"the broker at {session.endpoint.url} does not answer")
        self._started = time.monotonic()
        return self

    def publish(self, topic: str, payload: bytes) -> None:
        """Publishes at QoS 1 as soon as the window has room; not at all once `stop` is set."""
        while not self._has_room() and not self._stop.is_set():
            self._turn(PROGRESS_SECONDS)
        if not self._stop.is_set():
            self._topics[self._session.client.publish(topic, payload, qos=1).mid] = topic
            self._published += 1

    def wait_until(self, moment: float) -> None:
        """Exchanges what there is with the broker until then (monotonic clock), or until `stop`."""
        while (left := moment - time.monotonic()) > 0 and not self._stop.is_set():
            self._turn(min(left, PROGRESS_SECONDS))

    def progress(self) -> Progress:
        """As it stands; the seconds end with the last acknowledgement."""
        seconds = (time.monotonic() if self._topics else self._ended) - self._started
        return Progress(
            self._published, self._acknowledged, self._unheard, seconds, self.fraction, self._session.problem
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, PublicationRefused):
                self._await_acknowledgements(hurried=error is not None)
        finally:
            end([self._session])

    def _await_acknowledgements(self, *, hurried: bool) -> None:
        """For ever, or when hurried or stopped for FAREWELL_SECONDS."""
        farewell: float | None = None
        while self._topics and (farewell is None or time.monotonic() < farewell):
            if farewell is None and (hurried or self._stop.is_set()):
                farewell = time.monotonic() + FAREWELL_SECONDS
            self._turn(PROGRESS_SECONDS)

    def _has_room(self) -> bool:
        session = self._session
        return session.connected and len(self._topics) < min(WINDOW, session.receive_maximum)

    def _turn(self, wait: float) -> None:
        self._session.turn(wait)
        now = time.monotonic()
        if self._progress is not None and now >= self._told_at + PROGRESS_SECONDS:
            self._told_at = now
            self._progress(self.progress())
        if self._refused is not None:
            raise PublicationRefused(self._refused)

    def _puback(self, mid: int, reason: ReasonCode) -> None:
        topic = self._topics.pop(mid, None)
        if topic is None:
            return
        self._ended = time.monotonic()
        if reason.value >= FAILURE:
            self._refused = f"the broker refuses what is published to {topic}: {refusal(reason)}"
        else:
            self._acknowledged += 1
            self._unheard += reason.value == NO_SUBSCRIBER
