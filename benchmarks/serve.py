"""`overfly serve` under a flood of QoS 1 messages beside a bare paho subscriber that acknowledges.

The flood waits at a real Mosquitto in the persistent session of each, so that what is measured is the
subscriber: the bare one counts, `serve` decodes, stores, evaluates against 99 geofences and commits to SQLite
before it acknowledges. In turn, several times; the median counts.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.flood import flood
from sample_data.flights import DEFAULT_FOLDER, build
from tests.brokers import Mosquitto
from tests.services import Overfly
from tests.waiting import wait_until

MESSAGES = 60_000
ROUNDS = 3
TARGET = 0.5
TOPIC = "aircraft/+/position"


def run() -> None:
    flights = build(DEFAULT_FOLDER, print)
    bare, ours = [], []
    with tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            with Mosquitto(folder / "broker", options={"persistence": "false"}) as broker:
                bare.append(_bare(broker))
                ours.append(_served(broker, folder / "overfly", flights.geofences))
    rate, served = statistics.median(bare), statistics.median(ours)
    print(f"  bare subscriber   {rate:8,.0f} messages/s  {1e6 / rate:6.1f} us a message")
    print(f"  overfly serve     {served:8,.0f} messages/s  {1e6 / served:6.1f} us a message")
    print(f"  ratio             {served / rate:8.2f}  (target: at least {TARGET})")


def _bare(broker: Mosquitto) -> float:
    """Messages a second."""
    command = [sys.executable, "-m", "benchmarks.bare_subscriber", broker.url, TOPIC, str(MESSAGES)]
    subprocess.run([*command, "--prepare"], check=True, capture_output=True)
    flood(broker.url, MESSAGES)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured = json.loads(said.splitlines()[-1])
    return float(measured["messages"] / measured["seconds"])


def _served(broker: Mosquitto, folder: Path, geofences: Path) -> float:
    """Messages a second, from the receipt of the first batch to that of the last one."""
    overfly = Overfly(folder, {"MQTT_URL": broker.url})
    with overfly:
        overfly.put_geofences(geofences)
    flood(broker.url, MESSAGES)
    with overfly:
        wait_until(lambda: overfly.metric("overfly_positions_total") == MESSAGES, 300)
    with sqlite3.connect(folder / "data" / "overfly.sqlite") as database:
        (first, last) = database.execute(
            "SELECT min(received_time), max(received_time) FROM position"
        ).fetchone()
        (before,) = database.execute(
            "SELECT count(*) FROM position WHERE received_time < ?", [last]
        ).fetchone()
    return float(before / (last - first) * 1000)
