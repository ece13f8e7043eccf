"""The flights that the demo publishes, in a thread of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ingest.decoding.blocks import UnreadableFile
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import BrokerAway, PublicationRefused
from service.errors import CannotNow


class FlightsEnded(CannotNow):
    """The flights cannot be published."""


@dataclass(frozen=True, slots=True)
class Flights:
    """`publish` sends them to a broker until they are through or the event is set."""

    announcement: str
    publish: Callable[[MqttEndpoint, threading.Event], None]


class Publication:
    """Publishes flights from the entry of a `with` to its end."""

    def __init__(self, flights: Flights, endpoint: MqttEndpoint) -> None:
        self._flights = flights
        self._endpoint = endpoint
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flights")

    def __enter__(self) -> "Publication":
        self._publishing: Future[None] = self._thread.submit(
            self._flights.publish, self._endpoint, self._stop
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.shutdown(wait=True)

    def is_through(self) -> bool:
        """Whether all have been published. Raises FlightsEnded."""
        if not self._publishing.done():
            return False
        try:
            self._publishing.result()
        except (UnreadableFile, BrokerAway, PublicationRefused) as error:
            raise FlightsEnded(f"the flights cannot be published: {error}") from error
        return True
