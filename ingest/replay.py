"""Recorded fixes, published again: each line of a file as one message of its device."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

import msgspec

from ingest import timestamps
from ingest.arrays_by_shard import ArraysByShard
from ingest.decoding.blocks import Blocks, opened_blocks
from ingest.identifiers import is_identifier
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import MqttPublisher, Progress
from ingest.topics import topic_of_device

BLOCK: Final = 1 << 18

NO_JSON = "no JSON object"
NO_DEVICE = "no deviceId that can stand in a topic"
NO_TIME = "no timestamp to shift"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a file: `skipped` counts lines by reason, `first_skipped` is the first one's number
    and reason.
    """

    progress: Progress
    skipped: Counter[str]
    first_skipped: tuple[int, str] | None


class _Fix(msgspec.Struct):
    """What of a line is needed to publish it."""

    device: object = msgspec.field(default=None, name="deviceId")
    timestamp: object = None


def replay(
    path: Path,
    endpoint: MqttEndpoint,
    *,
    speed: float | None = None,
    now: bool = False,
    by_shard: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> Replayed:
    """Publishes each line of an NDJSON file (.gz too) to aircraft/<deviceId>/position, in the file's order.

    `speed` is how many times faster than it was recorded, by the timestamps; None is as fast as the broker
    takes it. `now` replaces each timestamp by the time at which its fix is due, so that the first one is
    measured now; without a speed it takes 1. `by_shard` publishes arrays to overfly/positions/<shard>
    instead, of fixes that are due within a second. Lines that have no topic are skipped and counted; all
    others go as they are, good or bad.

    Raises UnreadableFile, EndpointError, BrokerAway at first, PublicationRefused.
    """
    stop = stop or Event()
    pace = _Pace(speed if speed is not None or not now else 1.0, now)
    skipped: Counter[str] = Counter()
    first_skipped = None
    with opened_blocks(path) as blocks, MqttPublisher(endpoint, progress=progress, stop=stop) as publisher:
        size = path.stat().st_size if path.is_file() else 0
        arrays = ArraysByShard(publisher)
        for number, line in enumerate(_lines(blocks), 1):
            if stop.is_set():
                break
            if not line.strip():
                continue
            try:
                fix = _fix(line, now)
            except _UnfitError as unfit:
                skipped[str(unfit)] += 1
                first_skipped = first_skipped or (number, str(unfit))
                continue
            due, payload = pace.due(fix, line)
            if by_shard:
                arrays.add(str(fix.device), due, payload)
            else:
                publisher.wait_until(due)
                publisher.publish(topic_of_device(str(fix.device)), payload)
            publisher.fraction = blocks.taken() / size if size else None
        arrays.publish()
    return Replayed(publisher.progress(), skipped, first_skipped)


def _lines(blocks: Blocks) -> Iterator[bytes]:
    rest = b""
    while block := blocks.read(BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    yield rest


class _UnfitError(Exception):
    """A line that cannot be published, and why."""


def _fix(line: bytes, now: bool) -> _Fix:
    try:
        fix = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _UnfitError(NO_JSON) from None
    if not is_identifier(fix.device):
        raise _UnfitError(NO_DEVICE)
    if now and timestamps.milliseconds(fix.timestamp) is None:
        raise _UnfitError(NO_TIME)
    return fix


_DECODER = msgspec.json.Decoder(_Fix)


class _Pace:
    """When each fix is due, and its payload then. The first fix is due at once."""

    def __init__(self, speed: float | None, now: bool) -> None:
        self._speed, self._now = speed, now
        self._first: int | None = None
        self._started, self._start_ms = 0.0, 0
        self._latest: dict[object, tuple[int, int]] = {}

    def due(self, fix: _Fix, line: bytes) -> tuple[float, bytes]:
        """The moment (monotonic clock), and the line, its timestamp replaced if it is to be now."""
        measured = timestamps.milliseconds(fix.timestamp)
        if self._speed is None or measured is None:
            return 0.0, line
        if self._first is None:
            self._first = measured
            self._started, self._start_ms = time.monotonic(), time.time_ns() // 1_000_000
        elapsed = (measured - self._first) / self._speed
        if self._now:
            line = _dated(line, self._shifted(fix.device, measured, self._start_ms + round(elapsed)))
        return self._started + elapsed / 1000, line

    def _shifted(self, device: object, measured: int, shifted: int) -> int:
        """At a high speed two fixes of a device may come to share a millisecond; then the later one moves
        on.
        """
        latest, moved = self._latest.get(device, (measured, shifted))
        if measured == latest:
            shifted = moved
        elif measured > latest:
            shifted = max(shifted, moved + 1)
        if measured >= latest:
            self._latest[device] = measured, shifted
        return shifted


def _dated(line: bytes, time_ms: int) -> bytes:
    members = msgspec.json.decode(line)
    members["timestamp"] = timestamps.iso(time_ms)
    return msgspec.json.encode(members)
