"""`overfly track` on a full queue, beside `overfly track` on the same positions waiting at a broker.

The queue is the stand-in's and holds envelopes of one shard each, as the bridge packs them; the broker is a
real Mosquitto that holds one message a position in the tracker's session. Both end in committed rows. In
turn, several times; the median counts. Stand-in, broker and tracker share the processors.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.flood import flood, payloads
from ingest.envelope import packed
from ingest.topics import shard_of_topic
from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.queues import Queue
from tests.stand_in import StandIn
from tests.waiting import wait_until

AT_BROKER = 60_000
IN_QUEUE = 240_000
"""Positions: enough to fill a body of 1 MiB for each shard."""
DEVICES = 1000
ROUNDS = 3
TARGET = 1.0
LOOK_SECONDS = 0.02
BODIES = {"100 KiB": 100 << 10, "1 MiB": 1 << 20}
KINDS = {"FIFO": True, "standard": False}


def run() -> None:
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        rates.setdefault("broker", []).append(_from_broker())
        for kind, fifo in KINDS.items():
            for size, most in BODIES.items():
                rates.setdefault(f"{kind} queue, {size}", []).append(_from_queue(fifo, most))
    broker = statistics.median(rates["broker"])
    for name, measured in rates.items():
        rate = statistics.median(measured)
        target = "" if name == "broker" else f"  ratio {rate / broker:5.2f}  (target: at least {TARGET})"
        print(f"  {name:<24} {rate:9,.0f} positions/s{target}")


def _from_broker() -> float:
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name) / "broker") as broker:
        track = Hop("track", Path(name), {"MQTT_URL": broker.url}, {})
        with track:  # makes the session
            wait_until(lambda: track.metric("overfly_source_connected") == 1, 30)
            track.stop()
        flood(broker.url, AT_BROKER, DEVICES)
        return _rate(track, AT_BROKER)


def _from_queue(fifo: bool, most: int) -> float:
    with tempfile.TemporaryDirectory() as name, StandIn(Path(name) / "aws") as aws:
        queue = Queue.make(aws, fifo=fifo)
        for shard, body in _bodies(most):
            queue.send([body], group=str(shard))
        return _rate(Hop("track", Path(name), {"QUEUE_URL": queue.url}, aws.environment()), IN_QUEUE)


def _rate(track: Hop, positions: int) -> float:
    """Positions a second, from the first commit that is seen to the last."""
    with track:
        while not (began_with := track.metric("overfly_positions_total")):
            time.sleep(LOOK_SECONDS)
        began = time.perf_counter()
        while (now := track.metric("overfly_positions_total")) < positions:
            time.sleep(LOOK_SECONDS)
        return (now - began_with) / (time.perf_counter() - began)


def _bodies(most: int) -> Iterator[tuple[int, bytes]]:
    """Envelopes of up to `most` bytes with their shard, each when it is full."""
    waiting: dict[int, list[bytes]] = {}
    size: dict[int, int] = {}
    for topic, payload in payloads(IN_QUEUE, DEVICES):
        shard, line = shard_of_topic(topic), packed(topic, payload)
        if size.get(shard, 0) + len(line) + 1 > most:
            yield shard, b"\n".join(waiting.pop(shard))
            size[shard] = 0
        waiting.setdefault(shard, []).append(line)
        size[shard] = size.get(shard, 0) + len(line) + 1
    yield from ((shard, b"\n".join(lines)) for shard, lines in waiting.items())
