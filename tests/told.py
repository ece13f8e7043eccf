"""A receiver of events at a broker, and what it heard."""

import json
import threading
from typing import NamedTuple

from ingest.messages import receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.source import MqttSource
from tests.brokers import Mosquitto
from tests.exact_flights import Flown


class Heard(NamedTuple):
    device_id: str
    sample_time: str


class Told:
    """What receivers at a broker were told: events, in the order in which each first came."""

    def __init__(self, broker: Mosquitto) -> None:
        endpoint = MqttEndpoint(broker.url, client_id="told")
        self._source = MqttSource(endpoint, ["overfly/events/#"])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.events: dict[str, Heard] = {}

    def __enter__(self) -> "Told":
        self._source.receive(5.0)
        assert self._source.subscribed
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stop.is_set():
            messages = self._source.receive(0.2)
            for event in map(json.loads, (message.payload for message in messages)):
                heard = Heard(event["deviceId"], event["sampleTime"])
                self.events.setdefault(event["eventId"], heard)
            self._source.acknowledge(receipts(messages))
        self._source.close()

    def assert_exact(self, flown: Flown) -> None:
        """All of the expected ones, and of each device in the order of their times."""
        assert self.events.keys() == flown.event_ids
        assert not self.out_of_order()

    def out_of_order(self) -> list[str]:
        """Ids of events that were first heard after a later one of their device."""
        latest: dict[str, str] = {}
        found = []
        for identifier, (device_id, sample_time) in self.events.items():
            if latest.get(device_id, "") > sample_time:
                found.append(identifier)
            latest[device_id] = max(sample_time, latest.get(device_id, ""))
        return found
