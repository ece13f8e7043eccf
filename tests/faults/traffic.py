"""Devices that go in and out of a geofence at each fix, and exactly what must come of that."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from geofence.events import event_id
from geofence.reading.geojson import feature_text
from tests.brokers import Mosquitto
from tests.exact_flights import stored_rows
from tests.faults.test_bad_messages import publish
from tests.service.workshop import box
from tests.services import Overfly
from tests.waiting import wait_until

ROUNDS_AT_ONCE = 500
"""The publisher holds no more at once."""


@dataclass(slots=True)
class Traffic:
    """What was published at `broker` for `overfly` so far."""

    broker: Mosquitto
    overfly: Overfly
    devices: int = 20
    rounds: int = 0
    began: int = field(default_factory=lambda: int(time.time()) - 80_000)

    @property
    def count(self) -> int:
        """Positions; each is an event too."""
        return self.rounds * self.devices

    def begin(self) -> None:
        """Puts the geofence, before the first fix."""
        url = f"{self.overfly.url}/v1/geofences/A"
        assert httpx.put(url, content=feature_text(box("A", 0, 10))).status_code in (200, 201)

    def send(self, rounds: int, padding: int = 0) -> None:
        """So many fixes of each device, one a message; padding: bytes that each carries."""
        numbers = range(self.rounds, self.rounds + rounds)
        self.rounds += rounds
        for first in range(0, rounds, ROUNDS_AT_ONCE):
            some = numbers[first : first + ROUNDS_AT_ONCE]
            publish(
                self.broker.url,
                [
                    (f"aircraft/d{device}/position", self._message(number, padding))
                    for number in some
                    for device in range(self.devices)
                ],
            )

    def assert_exact(self, seconds: float = 60) -> None:
        """All of it is stored within that time, each once, and so are the events."""
        wait_until(lambda: stored_rows(self.overfly) >= self.count, seconds, lambda: self.overfly.log[-4000:])
        assert stored_rows(self.overfly) == self.count
        ids = [event["eventId"] for event in self.overfly.items("/v1/events")]
        assert len(ids) == self.count
        assert set(ids) == {
            event_id(
                "default", "default", f"d{device}", "A", ("ENTER", "EXIT")[number % 2], self._time(number)
            )
            for number in range(self.rounds)
            for device in range(self.devices)
        }
        assert not list(self.overfly.items("/v1/rejects"))

    def _message(self, number: int, padding: int) -> bytes:
        fix = {"timestamp": self._time(number), "latitude": 0.5, "longitude": (5, 20)[number % 2]}
        return json.dumps({**fix, **({"padding": "x" * padding} if padding else {})}).encode()

    def _time(self, number: int) -> int:
        return (self.began + number) * 1000


def database_trouble(overfly: Overfly) -> str | None:
    """What /v1/ready says of the database, where it makes us unready."""
    answer = httpx.get(f"{overfly.url}/v1/ready", timeout=30)
    found: dict[str, Any] = answer.json()["dependencies"]["database"]
    assert answer.status_code == (200 if found["ok"] else 503)
    return None if found["ok"] else str(found["detail"])
