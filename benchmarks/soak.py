"""The last part of `./run soak`: kills and restarts `overfly serve` under load, then counts.

Simulated flights are published over a real Mosquitto at QoS 1 while `serve` gets SIGKILL at random moments.
At the end each published fix must be stored exactly once, the events must be those that `overfly evaluate`
finds offline, with the same ids, and each must have been mailed, a repeated mail under its own Message-ID.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ingest.flights.airports import AIRPORTS
from ingest.flights.encoding import payloads
from ingest.mqtt.connection import MqttEndpoint
from ingest.replay import replay
from ingest.simulate import simulated_flights
from service.demo.flights import NEAR, airport_circles
from tests.brokers import Mosquitto
from tests.mailboxes import Mailbox
from tests.services import Overfly
from tests.waiting import wait_until

RATE = 300
"""Fixes a second: one of each aircraft."""

LIFE_SECONDS = (2.0, 12.0)
"""Between these a `serve` lives before it is killed."""

SETTLE_SECONDS = 120.0

Key = TypeVar("Key", str, tuple[str, str])


def main() -> int:
    """0 if nothing is missing or double."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("minutes", nargs="?", type=float, default=5.0, help="how long (5)")
    parser.add_argument(
        "--seed", type=int, default=None, help="of the moments of killing; printed if left out"
    )
    chosen = parser.parse_args()
    seed = time.time_ns() % 1_000_000 if chosen.seed is None else chosen.seed
    print(f"soak: {chosen.minutes:g} minutes at {RATE} fixes/s, --seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="overfly-soak-") as folder:
        faults = _soak(Path(folder), chosen.minutes, seed)
    for fault in faults:
        print(f"FAULT {fault}")
    print("soak: nothing is missing or double" if not faults else f"soak: {len(faults)} faults, seed {seed}")
    return 1 if faults else 0


def _soak(folder: Path, minutes: float, seed: int) -> list[str]:
    geofences, positions = folder / "geofences.geojson", folder / "positions.ndjson"
    geofences.write_bytes(airport_circles())
    with Mosquitto(folder / "broker") as broker, Mailbox() as mailbox:
        settings = {
            "MQTT_URL": broker.url,
            "SMTP_URL": mailbox.url,
            "ALERT_EMAIL": "dispatcher@example.com",
            "ALERT_INTERVAL": "1",
        }
        overfly = Overfly(folder / "overfly", settings).start()
        try:
            overfly.put_geofences(geofences)
            _fly(positions, minutes, seed)
            choice = random.Random(seed)  # noqa: S311 - moments to kill at, no secrets
            kills = _kill_while(_published(positions, broker.url), overfly, choice)
            print(f"all published, {kills} kills; waiting for the rest ...", flush=True)
            return _faults(overfly, mailbox, positions, _offline(geofences, positions, folder))
        finally:
            overfly.stop()


def _fly(positions: Path, minutes: float, seed: int) -> None:
    start = (time.time_ns() // 1_000_000) + 2000
    flights = simulated_flights(RATE, round(minutes * 60), 1000, start, seed, AIRPORTS[:NEAR])
    positions.write_bytes(b"\n".join(payloads(flights)) + b"\n")


def _published(positions: Path, url: str) -> threading.Thread:
    """A thread that publishes each fix at the pace of its timestamps, until the broker has all."""
    endpoint = MqttEndpoint(url=url, client_id="soak")
    thread = threading.Thread(target=lambda: replay(positions, endpoint, speed=1.0), daemon=True)
    thread.start()
    return thread


def _kill_while(publishing: threading.Thread, overfly: Overfly, choice: random.Random) -> int:
    kills = 0
    said = time.monotonic()
    while publishing.is_alive():
        publishing.join(choice.uniform(*LIFE_SECONDS))
        if publishing.is_alive():
            overfly.kill()
            overfly.start()
            kills += 1
        if time.monotonic() - said > 15:
            said = time.monotonic()
            print(f"  {kills} kills, {len(list(overfly.items('/v1/events'))):,} events", flush=True)
    return kills


def _offline(geofences: Path, positions: Path, folder: Path) -> Counter[str]:
    """How often offline evaluation has each event id: once."""
    output = folder / "events.ndjson"
    command = [
        sys.executable,
        "-c",
        "from service.cli import main; main()",
        "evaluate",
        "--output",
        str(output),
    ]
    subprocess.run([*command, "--geofences", geofences, "--positions", positions], check=True)
    return Counter(json.loads(line)["eventId"] for line in output.read_bytes().splitlines())


def _faults(overfly: Overfly, mailbox: Mailbox, positions: Path, expected: Counter[str]) -> list[str]:
    """What is not as it must be, a sentence each."""
    fixes = Counter(_fix(json.loads(line)) for line in positions.read_bytes().splitlines())

    def settled(true: Callable[[], bool]) -> None:
        try:
            wait_until(true, SETTLE_SECONDS)
        except AssertionError:
            return  # the comparison says what is missing

    settled(lambda: len(list(overfly.items("/v1/events"))) >= len(expected))
    settled(lambda: len(mailbox.event_ids()) >= len(expected))
    settled(lambda: all(alert["status"] == "sent" for alert in overfly.items("/v1/alerts")))
    told = mailbox.event_ids()
    print(f"{fixes.total():,} fixes, {expected.total():,} events, {len(mailbox.mails):,} mails", flush=True)
    return [
        *_differences("stored fixes", _stored(overfly), fixes),
        *_differences("events", Counter(event["eventId"] for event in overfly.items("/v1/events")), expected),
        *_differences("mailed events", Counter(told.keys()), expected),
        *(f"event {event} was mailed as {len(ids)} mails" for event, ids in told.items() if len(ids) > 1),
        *(f"refused: {reject}" for reject in overfly.items("/v1/rejects")),
    ]


def _stored(overfly: Overfly) -> Counter[tuple[str, str]]:
    stored: Counter[tuple[str, str]] = Counter()
    for device in overfly.items("/v1/devices"):
        identifier = device["id"]
        for fix in overfly.items(f"/v1/devices/{identifier}/positions"):
            stored[identifier, fix["sampleTime"]] += 1
    return stored


def _fix(message: dict[str, str]) -> tuple[str, str]:
    return message["deviceId"], message["timestamp"]


def _differences(what: str, found: Counter[Key], expected: Counter[Key]) -> list[str]:
    missing, beyond = expected - found, found - expected
    return [
        f"{what}: {different.total():,} {word}, such as {next(iter(different))}"
        for word, different in (("missing", missing), ("double or not expected", beyond))
        if different
    ]


if __name__ == "__main__":
    sys.exit(main())
