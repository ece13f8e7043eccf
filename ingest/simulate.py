"""Simulated flights, as columns for measuring and as messages to a broker."""

import time
from collections.abc import Callable, Sequence
from threading import Event

import numpy as np

from geofence.fixes.positions import PositionBatch
from ingest.arrays_by_shard import ArraysByShard
from ingest.flights.airports import AIRPORTS, Airport
from ingest.flights.encoding import payloads
from ingest.flights.simulated import Fleet
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import MqttPublisher, Progress
from ingest.topics import topic_of_device

SLICE_SECONDS = 0.2
"""So much is computed and sent at a time."""


def simulated_flights(
    devices: int,
    steps: int,
    interval_ms: int,
    start_ms: int,
    seed: int = 0,
    airports: Sequence[Airport] = AIRPORTS,
) -> PositionBatch:
    """`devices * steps` fixes: each step has one of every device, `interval_ms` after the step before."""
    step, device = np.divmod(np.arange(devices * steps), devices)
    return Fleet(devices, start_ms, seed, airports).positions(device, start_ms + step * interval_ms)


def simulate(
    endpoint: MqttEndpoint,
    *,
    devices: int,
    rate: float,
    seed: int = 0,
    duration: float | None = None,
    airports: Sequence[Airport] = AIRPORTS,
    by_shard: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> Progress:
    """Publishes `rate` fixes a second, device after device, for `duration` seconds or until `stop` is set.

    A fix has the time at which it is due. Where the broker cannot take so many, or is away, they are late
    and none is left out. `by_shard` publishes arrays to overfly/positions/<shard>, of fixes that are due
    within a second. Raises EndpointError, BrokerAway at first, PublicationRefused.
    """
    stop = stop or Event()
    with MqttPublisher(endpoint, progress=progress, stop=stop) as publisher:
        start_ms, started = time.time_ns() // 1_000_000, time.monotonic()
        fleet = Fleet(devices, start_ms, seed, airports)
        total = None if duration is None else round(rate * duration)
        size = max(1, round(rate * SLICE_SECONDS))
        first = 0
        arrays = ArraysByShard(publisher)
        while not stop.is_set() and (total is None or first < total):
            number = np.arange(first, first + size if total is None else min(first + size, total))
            batch = fleet.positions(number % devices, start_ms + (number * 1000 / rate).astype(np.int64))
            for due, device_id, payload in zip(number / rate, batch.device_id, payloads(batch), strict=True):
                if by_shard:
                    arrays.add(device_id, started + due, payload)
                else:
                    publisher.wait_until(started + due)
                    publisher.publish(topic_of_device(device_id), payload)
            first += size
            publisher.fraction = None if total is None else min(1.0, first / total)
        arrays.publish()
    return publisher.progress()
