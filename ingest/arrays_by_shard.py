"""Fixes of many devices, published as an array a shard."""

from typing import Final

from ingest.mqtt.publisher import MqttPublisher
from ingest.topics import ARRAY_TOPICS, shard_of

ARRAY_BYTES: Final = 120_000
"""Of all arrays that are gathered at once, so that none is beyond what brokers take: 128 KiB in AWS IoT."""
ARRAY_SECONDS: Final = 1.0


class ArraysByShard:
    """Fixes gathered by shard, published when `ARRAY_BYTES` or a second is full."""

    def __init__(self, publisher: MqttPublisher) -> None:
        self._publisher = publisher
        self._first_due = self._last_due = 0.0
        self._payloads: dict[int, list[bytes]] = {}
        self._bytes = 0

    def add(self, device_id: str, due: float, payload: bytes) -> None:
        """`due` is a moment of the monotonic clock, before which nothing of it is published."""
        if self._bytes + len(payload) > ARRAY_BYTES or due > self._first_due + ARRAY_SECONDS:
            self.publish()
            self._first_due = due
        self._payloads.setdefault(shard_of(device_id), []).append(payload)
        self._bytes += len(payload) + 1
        self._last_due = due

    def publish(self) -> None:
        """What is gathered, when the last of it is due."""
        if self._payloads:
            self._publisher.wait_until(self._last_due)
        for shard, payloads in self._payloads.items():
            self._publisher.publish(ARRAY_TOPICS[shard], b"[" + b",".join(payloads) + b"]")
        self._payloads, self._bytes = {}, 0
