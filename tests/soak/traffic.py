"""Simulated flights for the soak: published by shard, and each fix remembered that was."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.arrays_by_shard import ArraysByShard
from ingest.flights.airports import AIRPORTS
from ingest.flights.encoding import payloads
from ingest.flights.simulated import Fleet
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import MqttPublisher
from service.demo.flights import NEAR

FIRST_STEPS = 30
"""Fixes of each device, a second apart, that are published first and as quickly as the broker takes them."""
SLICE_SECONDS = 0.2

Times = NDArray[np.int64]


class Traffic:
    """Fix number n is of device n % devices. First a flood of fixes of the last seconds, then `fly`."""

    def __init__(self, broker_url: str, devices: int, seed: int) -> None:
        self._endpoint = MqttEndpoint(broker_url, client_id="soak")
        self.devices, self._flood = devices, devices * FIRST_STEPS
        self._start_ms = time.time_ns() // 1_000_000 - FIRST_STEPS * 1000
        self._fleet = Fleet(devices, self._start_ms, seed, AIRPORTS[:NEAR])
        self._times: list[Times] = []
        self._thread: threading.Thread | None = None
        self.published = 0
        """Fixes given to the broker, acknowledged or not; all are once `finish` has come back."""
        self.problem: str | None = None

    def flood(self) -> int:
        """Begins to publish the first fixes; answers how many."""
        self._begin(self._flood_all)
        return self._flood

    def fly(self, rate: float, seconds: float) -> None:
        """Begins to publish `rate` fixes a second, each when it is due, for so long."""
        self.finish()
        self._begin(lambda: self._fly(rate, seconds))

    def finish(self) -> None:
        """Waits until the broker has acknowledged all. Raises AssertionError where it did not take them."""
        assert self._thread is not None
        self._thread.join()
        assert self.problem is None, self.problem

    def times(self) -> Iterator[tuple[str, Times]]:
        """Of each device, those of the fixes that were published."""
        times = np.concatenate(self._times)
        for number, device_id in enumerate(self._fleet.device_id):
            yield str(device_id), times[number :: self.devices]

    def _begin(self, publishing: Callable[[], None]) -> None:
        def run() -> None:
            try:
                publishing()
            except Exception as error:
                self.problem = f"publishing ended: {error!r}"
                raise

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def _flood_all(self) -> None:
        times = self._start_ms + np.arange(self._flood) // self.devices * 1000
        with MqttPublisher(self._endpoint) as publisher:
            arrays = ArraysByShard(publisher)
            for first in range(0, self._flood, self.devices):
                self._publish(arrays, first, times[first : first + self.devices], 0.0, 0.0)
            arrays.publish()

    def _fly(self, rate: float, seconds: float) -> None:
        with MqttPublisher(self._endpoint) as publisher:
            arrays = ArraysByShard(publisher)
            started, start_ms = time.monotonic(), time.time_ns() // 1_000_000
            size, total = max(1, round(rate * SLICE_SECONDS)), round(rate * seconds)
            for first in range(0, total, size):
                number = np.arange(first, min(first + size, total))
                times = start_ms + (number * 1000 / rate).astype(np.int64)
                self._publish(arrays, self._flood + first, times, started + first / rate, 1 / rate)
            arrays.publish()

    def _publish(self, arrays: ArraysByShard, first: int, times: Times, due: float, step: float) -> None:
        batch = self._fleet.positions(np.arange(first, first + len(times)) % self.devices, times)
        for row, (device_id, payload) in enumerate(zip(batch.device_id, payloads(batch), strict=True)):
            arrays.add(device_id, due + row * step, payload)
        self._times.append(times)
        self.published = first + len(times)
