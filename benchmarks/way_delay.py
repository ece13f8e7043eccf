"""How much later each hop of the way sees a position, at about half of what the way carries on this machine.

Simulated flights, measured now, are published at the source broker at an even rate; each place that they pass
is looked at by this clock. The stand-in's queue and bus are local: AWS adds its own round trips.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.envelope import unpacked
from sample_data.flights import DEFAULT_FOLDER, build
from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.stand_in import DESTINATION, SOURCE, StandIn
from tests.way import Cloud, whole_way

RATE = 3_500
"""Positions a second."""
DEVICES = 3_500
SECONDS = 30
SETTLED = 10
"""Seconds at the beginning that do not count."""
LOOK_SECONDS = 0.5
LAST_SECONDS = 2
"""Until the last of them have come through."""


def run() -> None:
    geofences = build(DEFAULT_FOLDER, print).geofences
    with tempfile.TemporaryDirectory() as name:
        queue = _at_the_queue(Path(name) / "bridge")
        source, destination, rows, bus = _at_the_brokers(Path(name) / "way", geofences)
    places = (
        ("source broker", source),
        ("queue (bridge)", queue),
        ("destination broker (republisher)", destination),
        ("database (tracker)", rows),
    )
    before = 0.0
    print(f"  {RATE:,} positions/s, milliseconds after the measurement: median, 99th percentile, added")
    for place, delays in places:
        median = statistics.median(delays)
        print(f"  {place:<33} {median:8.1f} {_percentile(delays):8.1f} {median - before:8.1f}")
        before = median
    print(f"  bus (dispatch), after the commit  {statistics.median(bus):8.1f} {_percentile(bus):8.1f}")


def _percentile(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=100)[98]


def _at_the_queue(folder: Path) -> list[float]:
    """By the queue's own SentTimestamp."""
    with StandIn(folder / "stand_in") as aws, Mosquitto(folder / "source") as broker:
        queue_url = Cloud.make(aws, fifo=True).queue_url
        settings = {"SOURCE_MQTT_URL": broker.url, "QUEUE_URL": queue_url}
        delays: list[float] = []
        with Hop("bridge", folder / "hop", settings, aws.environment(SOURCE)):
            _while_flying(broker, lambda: _read(aws, queue_url, delays))
        return delays


def _read(aws: StandIn, queue_url: str, delays: list[float]) -> None:
    sqs = aws.client("sqs", DESTINATION)
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    for message in answer.get("Messages", []):
        sent = float(message["Attributes"]["SentTimestamp"])
        delays += [sent - _measured(json.loads(each.payload)) for each in unpacked(message["Body"])]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def _at_the_brokers(
    folder: Path, geofences: Path
) -> tuple[list[float], list[float], list[float], list[float]]:
    with StandIn(folder / "stand_in") as aws, whole_way(folder, aws, fifo=True) as way:
        way.overfly.put_geofences(geofences)
        with (
            _listening(way.source, "aircraft/+/position") as source,
            _listening(way.destination, "overfly/positions/+") as destination,
        ):
            _while_flying(way.source, lambda: time.sleep(LOOK_SECONDS))
            time.sleep(LAST_SECONDS)
        with sqlite3.connect(f"file:{way.overfly.folder}/data/overfly.sqlite?mode=ro", uri=True) as database:
            rows = database.execute("SELECT received_time - sample_time FROM position").fetchall()
            told = database.execute(
                "SELECT alert.finished_time - event.committed_time FROM alert"
                " JOIN outbox ON outbox.alert_key = alert.key JOIN event ON event.seq = outbox.event_seq"
                " WHERE alert.status = 'sent'"
            ).fetchall()
        skipped = RATE * SETTLED
        return (
            source[skipped:],
            destination[skipped:],
            [float(delay) for (delay,) in rows[skipped:]],
            [float(delay) for (delay,) in told],
        )


def _while_flying(broker: Mosquitto, turn: Callable[[], None]) -> None:
    """Calls `turn` again and again for SECONDS while flights are published."""
    command = [sys.executable, "-c", "from service.cli import main; main()", "simulate"]
    command += ["--devices", str(DEVICES), "--rate", str(RATE), "--mqtt", broker.url]
    flights = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            turn()
    finally:
        flights.terminate()
        flights.wait(30)


@contextmanager
def _listening(broker: Mosquitto, topic: str) -> Iterator[list[float]]:
    """The delays of what is published there, as it arrives."""
    delays: list[float] = []
    subscribed = threading.Event()

    def take(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        arrived = time.time() * 1000
        fixes = json.loads(message.payload)
        delays.extend(arrived - _measured(fix) for fix in (fixes if isinstance(fixes, list) else [fixes]))

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = take
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe(topic, 1)
    assert subscribed.wait(10)
    try:
        yield delays
    finally:
        client.disconnect()
        client.loop_stop()


def _measured(fix: dict[str, Any]) -> float:
    """When, in milliseconds since the epoch."""
    return datetime.fromisoformat(fix["timestamp"]).timestamp() * 1000
