"""The republisher on a full queue, beside its bare libraries: receive, publish the same bytes, delete.

The queue is the stand-in's, and holds envelopes as the bridge packs them; the broker is a real Mosquitto with
a subscriber's session, so that each publication is heard. The bare reader has as many threads and as many
publications in flight, cuts bodies into pieces of 128 KiB wherever they fall, and looks at nothing. In turn,
several times; the median counts. Stand-in, broker and reader share the processors.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.aws.clients import is_fifo
from ingest.envelope import packed
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.source import MqttSource
from ingest.topics import SHARDS, shard_of
from tests.brokers import Mosquitto
from tests.stand_in import DESTINATION, StandIn

BODIES = 320
POSITIONS_OF_A_BODY = 1000
ROUNDS = 5
TARGET = 0.7
QUEUES = {"standard": ("positions", {}), "FIFO": ("positions.fifo", {"FifoQueue": "true"})}
READERS = ("bare", "republisher")


def run() -> None:
    for kind, (name, attributes) in QUEUES.items():
        measured: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
        for _ in range(ROUNDS):
            for reader in READERS:
                measured[reader].append(_measured(reader, name, attributes))
        _tell(kind, measured)


def _measured(reader: str, name: str, attributes: dict[str, str]) -> dict[str, float]:
    """Each in a new stand-in and broker: the second would meet what the first left."""
    with (
        tempfile.TemporaryDirectory() as folder,
        StandIn(Path(folder) / "aws") as aws,
        Mosquitto(Path(folder) / "broker", options={"persistence": "false"}) as broker,
    ):
        queue_url = aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        _fill(aws.client("sqs"), queue_url)
        _subscribe(broker)
        command = [
            sys.executable,
            "-m",
            "benchmarks.queue_readers",
            reader,
            queue_url,
            broker.url,
            str(BODIES),
        ]
        environment = {**os.environ, **aws.environment(DESTINATION)}
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        found: dict[str, float] = json.loads(said.splitlines()[-1])
        return found


def _tell(kind: str, measured: dict[str, list[dict[str, float]]]) -> None:
    positions = BODIES * POSITIONS_OF_A_BODY
    rates = {}
    for reader, runs in measured.items():
        seconds = statistics.median(each["seconds"] for each in runs)
        rates[reader] = positions / seconds
        last = runs[-1]
        print(
            f"  {kind:<8} {reader:<12} {rates[reader]:9,.0f} positions/s  "
            f"{last['requests'] * 1000 / positions:.3f} requests and "
            f"{last['publications'] * 1000 / positions:.2f} publications a thousand"
        )
    print(
        f"  {kind:<8} ratio        {rates['republisher'] / rates['bare']:9.2f}  (target: at least {TARGET})"
    )


def _fill(sqs: Any, queue_url: str) -> None:
    bodies = _bodies()
    while batch := list(islice(bodies, 4)):
        entries = [
            {
                "Id": str(place),
                "MessageBody": body,
                **(
                    {"MessageGroupId": str(shard), "MessageDeduplicationId": uuid.uuid4().hex}
                    if is_fifo(queue_url)
                    else {}
                ),
            }
            for place, (shard, body) in enumerate(batch)
        ]
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)


def _bodies() -> Iterator[tuple[int, str]]:
    """Envelopes of one shard each, as a busy bridge sends them."""
    devices: dict[int, list[str]] = {shard: [] for shard in range(SHARDS)}
    for number in range(3000):
        devices[shard_of(f"{number:06x}")].append(f"{number:06x}")
    for number in range(BODIES):
        shard = number % SHARDS
        lines = (
            _line(devices[shard][place % len(devices[shard])], place) for place in range(POSITIONS_OF_A_BODY)
        )
        yield shard, b"\n".join(lines).decode()


def _line(device: str, place: int) -> bytes:
    position = {
        "deviceId": device,
        "timestamp": f"2018-08-01T05:{place // 60 % 60:02d}:{place % 60:02d}.000Z",
        "latitude": 46.68 + place / 1e4,
        "longitude": 10.2 - place / 1e4,
        "altitude": 11582.4,
        "speed": 225.4,
        "heading": 292.4,
        "verticalRate": 0.0,
        "callsign": "TOM2XE",
    }
    return packed(f"aircraft/{device}/position", json.dumps(position, separators=(",", ":")).encode())


def _subscribe(broker: Mosquitto) -> None:
    """A session that hears all, and is away: reading would cost both the same."""
    source = MqttSource(MqttEndpoint(broker.url, client_id="session"), ["overfly/positions/+"])
    while not source.subscribed:
        source.receive(0.1)
    source.close()


if __name__ == "__main__":
    run()
