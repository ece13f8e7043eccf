"""Dollars for a million positions: requests measured here, times list prices.

docs/cost.md explains each line and holds what this prints. Prices are of us-east-1, in dollars, without free
tiers; they change, and docs/cost.md says where each was read.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.flood import payloads
from ingest.envelope import packed
from ingest.republishing.shard_arrays import packed_bodies
from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.stand_in import DESTINATION, SOURCE, StandIn
from tests.waiting import wait_until

MILLION = 1_000_000
SECONDS = 10
DEVICES = 1000
RATES = (100, 1000)
LINGERS = (0.25, 1.0)
BATCHES = (100, 1000)
EVENTS = 22_496 / 139_098
"""Events a position, of the real flights over 56 geofences: many."""
CHUNK = 64 << 10
"""Bytes that SQS bills as one request."""
IOT_UNIT = 5 << 10
"""Bytes that AWS IoT bills as one message, one rule triggered, one action."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars each, us-east-1."""

    iot_message: float = 1.00e-6
    iot_rule: float = 0.15e-6
    iot_action: float = 0.15e-6
    sqs_standard: float = 0.40e-6
    sqs_fifo: float = 0.50e-6
    lambda_request: float = 0.20e-6
    lambda_gb_second: float = 0.0000133334
    fargate_cpu_hour: float = 0.04048
    fargate_gb_hour: float = 0.004445
    bus_event: float = 1.00e-6
    sns_publish: float = 0.50e-6
    location_written: float = 0.05e-3
    location_evaluated: float = 0.05e-3


P = Prices()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: how many of what, for a million positions."""

    what: str
    count: float
    dollars: float


@dataclass(frozen=True, slots=True)
class Packing:
    """What a hop made of its positions, for each thousand of them."""

    requests: float
    entries: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """`bridge` by rate (positions/s) and linger (s), `function` by messages a batch."""

    bridge: dict[tuple[int, float], Packing]
    function: dict[int, Packing]


NOTED = Measured(
    bridge={
        (100, 0.25): Packing(78, 763, 225 << 10),
        (100, 1.0): Packing(54, 509, 225 << 10),
        (1000, 0.25): Packing(21.9, 218.8, 228 << 10),
        (1000, 1.0): Packing(7.0, 69.4, 228 << 10),
    },
    function={100: Packing(560, 560, 180 << 10), 1000: Packing(64, 64, 180 << 10)},
)
"""What docs/cost.md reckons with."""


def run() -> None:
    measured = _measure()
    print("  for each thousand positions, measured:")
    for (rate, linger), found in measured.bridge.items():
        print(
            f"    bridge, {rate:>5,}/s, linger {linger} s   {found.requests:6.1f} requests, "
            f"{found.entries:6.1f} queue messages, {found.bytes / 1024:6.1f} KiB"
        )
    for batch, found in measured.function.items():
        print(
            f"    function, {batch:>5,} a batch       {found.requests:6.1f} publications, "
            f"{found.bytes / 1024:6.1f} KiB"
        )
    print(bills(measured))


def bills(measured: Measured) -> str:
    """A million positions on each way, line by line."""
    parts = [
        _bill(f"IoT rule, function with {batch:,} a batch, IoT rule, tracker", iot_rule_way(packing, batch))
        for batch, packing in measured.function.items()
    ]
    parts += [
        _bill(
            f"bridge with linger {linger} s at {rate:,} positions/s, FIFO queue, tracker",
            bridge_way(packing, rate),
        )
        for (rate, linger), packing in measured.bridge.items()
    ]
    parts.append(_bill("IoT rule, function, IoT rule, Amazon Location with one collection", location_way()))
    return "\n".join(parts)


def iot_rule_way(arrays: Packing, batch: int) -> Iterator[Line]:
    """Devices at AWS IoT, an IoT rule, a standard queue, the function, an IoT rule, the tracker's queue."""
    yield from devices()
    yield Line("A: rule triggered, one action", MILLION, MILLION * (P.iot_rule + P.iot_action))
    yield from standard_queue("B: queue", MILLION, 1)
    yield from function(batch)
    published = arrays.requests * 1000
    units = published * math.ceil(arrays.bytes / arrays.requests / IOT_UNIT)
    yield Line("B: published to AWS IoT (5 KiB each)", units, units * P.iot_message)
    yield Line("B: rule triggered, one action", units, units * (P.iot_rule + P.iot_action))
    body = arrays.bytes / arrays.requests * 4 / 3
    yield from standard_queue("B: tracker's queue", published, math.ceil(body / CHUNK))
    yield from tracker(RATES[0])
    yield from telling()


def bridge_way(packing: Packing, rate: int) -> Iterator[Line]:
    """A broker of one's own, the bridge, a FIFO queue that the tracker reads itself."""
    hours = MILLION / rate / 3600
    task = 0.5 * P.fargate_cpu_hour + 1.0 * P.fargate_gb_hour
    yield Line("A: bridge, hours of half a processor and 1 GB", hours, hours * task)
    sends = packing.requests * 1000
    yield Line("B: queue, sends", sends, sends * P.sqs_fifo)
    others = 2 * math.ceil(packing.entries * 1000 / 10)
    yield Line("B: queue, receives and deletes by ten", others, others * P.sqs_fifo)
    yield from tracker(rate)
    yield from telling()


def location_way() -> Iterator[Line]:
    """One position a message up to the tracker of Amazon Location; its events cost nothing on the bus."""
    yield from devices()
    yield Line("A: rule triggered, one action", MILLION, MILLION * (P.iot_rule + P.iot_action))
    yield from standard_queue("B: queue", MILLION, 1)
    yield from function(1000)
    yield Line("B: published to AWS IoT", MILLION, MILLION * P.iot_message)
    yield Line("B: rule triggered, one action", MILLION, MILLION * (P.iot_rule + P.iot_action))
    yield Line("B: Amazon Location, positions written", MILLION, MILLION * P.location_written)
    yield Line("B: Amazon Location, positions evaluated", MILLION, MILLION * P.location_evaluated)
    events = EVENTS * MILLION
    yield Line("B: topic", events, events * P.sns_publish)


def devices() -> Iterator[Line]:
    yield Line("A: published to AWS IoT", MILLION, MILLION * P.iot_message)


def standard_queue(name: str, messages: float, chunks: int) -> Iterator[Line]:
    """Sent one by one, as IoT rules do; received and deleted by ten, as the function and the tracker do."""
    yield Line(f"{name}, sends", messages * chunks, messages * chunks * P.sqs_standard)
    others = messages / 10 + max(messages / 10, messages * chunks / 10)
    yield Line(f"{name}, receives and deletes by ten", others, others * P.sqs_standard)


def function(batch: int) -> Iterator[Line]:
    """Assumes half a second of 512 MB a batch, which was not measured on AWS."""
    calls = MILLION / batch
    yield Line(
        "B: function, 0.25 GB-seconds a call",
        calls,
        calls * (P.lambda_request + 0.25 * P.lambda_gb_second),
    )


def tracker(rate: int) -> Iterator[Line]:
    """On a host as dear as Fargate; one serves some thousand positions/s, here it has `rate`."""
    hours = MILLION / rate / 3600
    host = 1.0 * P.fargate_cpu_hour + 2.0 * P.fargate_gb_hour
    yield Line("B: tracker, hours of a processor and 2 GB", hours, hours * host)


def telling() -> Iterator[Line]:
    events = EVENTS * MILLION
    yield Line("B: bus", events, events * P.bus_event)
    yield Line("B: topic", events, events * P.sns_publish)


def _bill(title: str, lines: Iterator[Line]) -> str:
    text, total = [f"{title}:"], 0.0
    for line in lines:
        total += line.dollars
        count = f"{line.count:,.0f}" if line.count >= 100 else f"{line.count:.2f}"
        text.append(f"  {line.what:<50} {count:>10}  ${line.dollars:8.4f}")
    text.append(f"  {'a million positions':<50} {'':>10}  ${total:8.2f}")
    return "\n".join(text) + "\n"


def _measure() -> Measured:
    with tempfile.TemporaryDirectory() as name, StandIn(Path(name) / "aws") as aws:
        bridge = {
            (rate, linger): _bridge_at(aws, Path(name), rate, linger) for rate in RATES for linger in LINGERS
        }
    return Measured(bridge, {batch: _arrays(batch) for batch in BATCHES})


def _arrays(batch: int) -> Packing:
    """The function's publications for batches of single positions, as an IoT rule sends them."""
    bodies = [packed(topic, payload).decode() for topic, payload in payloads(batch, DEVICES)]
    publications = packed_bodies(bodies).publications
    thousands = batch / 1000
    sizes = [len(publication.payload) for publication in publications]
    return Packing(len(sizes) / thousands, len(sizes) / thousands, sum(sizes) / thousands)


def _bridge_at(aws: StandIn, folder: Path, rate: int, linger: float) -> Packing:
    """`overfly bridge` behind a publisher that keeps to `rate` messages/s."""
    name = f"at-{rate}-{int(linger * 10)}"
    queue = aws.client("sqs", DESTINATION).create_queue(
        QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"}
    )
    with Mosquitto(folder / name) as broker:
        bridge = Hop(
            "bridge",
            folder / f"{name}-bridge",
            {
                "SOURCE_MQTT_URL": broker.url,
                "QUEUE_URL": queue["QueueUrl"],
                "BRIDGE_LINGER": str(linger),
            },
            aws.environment(SOURCE) | aws.environment(DESTINATION),
        )
        with bridge:
            wait_until(lambda: bridge.metric("overfly_bridge_connected") == 1, 20)
            count = rate * SECONDS
            _publish(broker.port, rate, count)
            wait_until(lambda: bridge.metric("overfly_bridge_sent_total") >= count, 60)
            figures = [
                bridge.metric(f"overfly_bridge_{figure}_total") for figure in ("requests", "entries", "bytes")
            ]
    return Packing(*(figure / count * 1000 for figure in figures))


def _publish(port: int, rate: int, count: int) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(2000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    began = time.monotonic()
    sent = []
    for number, (topic, payload) in enumerate(payloads(count, DEVICES)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        sent.append(client.publish(topic, payload, qos=1))
    for each in sent:
        each.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
