"""`overfly bridge` on a backlog, beside a bare paho subscriber that acknowledges and does nothing else.

The backlog waits at a real Mosquitto in the persistent session of each, so that what is measured is the
subscriber; the bridge packs it and has the stand-in's SQS accept it before it acknowledges. In turn, several
times; the median counts. Stand-in, broker and bridge share the processors.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.flood import flood
from tests.brokers import Mosquitto
from tests.stand_in import DESTINATION, StandIn

MESSAGES = 60_000
ROUNDS = 3
TARGET = 0.7
TOPIC = "aircraft/+/position"
QUEUES = {"standard": ("positions", {}), "FIFO": ("positions.fifo", {"FifoQueue": "true"})}


def run() -> None:
    bare: list[float] = []
    ours: dict[str, list[dict[str, Any]]] = {kind: [] for kind in QUEUES}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            with Mosquitto(folder / "broker", options={"persistence": "false"}) as broker:
                bare.append(_rate(_measured("bare_subscriber", broker)))
                for kind, (queue_name, attributes) in QUEUES.items():
                    with StandIn(folder / kind) as aws:
                        queue = aws.client("sqs").create_queue(QueueName=queue_name, Attributes=attributes)
                        options = ["--queue", queue["QueueUrl"], "--client-id", kind]
                        environment = aws.environment(DESTINATION)
                        ours[kind].append(_measured("bridge_subscriber", broker, options, environment))
    rate = statistics.median(bare)
    print(f"  bare subscriber        {rate:8,.0f} messages/s  {1e6 / rate:6.1f} us a message")
    for kind, measured in ours.items():
        _tell(kind, sorted(measured, key=_rate)[len(measured) // 2], rate)


def _tell(kind: str, measured: dict[str, Any], bare: float) -> None:
    rate, thousands = _rate(measured), measured["messages"] / 1000
    print(f"  bridge, {kind:<8} queue {rate:8,.0f} messages/s  {1e6 / rate:6.1f} us a message")
    print(f"  ratio                  {rate / bare:8.2f}  (target: at least {TARGET})")
    entries, requests = measured["entries"] / thousands, measured["requests"] / thousands
    print(
        f"  a thousand positions   {measured['bytes'] / thousands / 1024:8.1f} KiB "
        f"in {entries:.1f} queue messages, {requests:.2f} requests"
    )


def _rate(measured: dict[str, Any]) -> float:
    return float(measured["messages"] / measured["seconds"])


def _measured(
    module: str,
    broker: Mosquitto,
    options: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What a subscriber prints that takes MESSAGES out of its session."""
    command = [
        sys.executable,
        "-m",
        f"benchmarks.{module}",
        broker.url,
        TOPIC,
        str(MESSAGES),
        *(options or []),
    ]
    surroundings = {**os.environ, **(environment or {})}
    subprocess.run([*command, "--prepare"], check=True, capture_output=True, env=surroundings)
    flood(broker.url, MESSAGES)
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings).stdout
    measured: dict[str, Any] = json.loads(said.splitlines()[-1])
    return measured
