"""`overfly evaluate` on 5 million fixes, from gzipped NDJSON to NDJSON, beside gzip and json.loads alone.

The fixes are copies of real flights. The baseline reads the lines of the same file one by one and does
nothing with them; it runs before and after, and its mean counts. All are whole processes, from start to exit,
with Python's bytecode at hand, as an installed command has it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.machine import machine
from benchmarks.offline import write_copies
from sample_data.flights import DEFAULT_FOLDER, build

COPIES = 36
WANTED = 2.5

BASELINE = """
import gzip, json, sys
with gzip.open(sys.argv[1]) as lines:
    for line in lines:
        json.loads(line)
"""

SCENES: dict[str, Callable[[int], dict[str, Any]]] = {
    "geofences as they are": lambda _: {},
    "volumes": lambda number: {"maxAltitude": 1000 + 100 * number},
    "volumes, visits, devices": lambda number: {
        "minAltitude": 300,
        "maxAltitude": 1000 + 100 * number,
        "maxAccuracy": 100,
        "devices": ["*-1", "4*"] if number % 3 == 0 else ["*"],
        "dwellSeconds": 60,
        "exitAfterSeconds": 30,
    },
    "properties": lambda number: (
        {"deviceProperties": {"callsign": ["SWR*", "E*"]}} if number % 3 == 0 else {}
    ),
}
"""What each geofence asks for beside, by its number."""

MEASURED = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""Runs a command from a small process: the memory of who starts it would count as its own (getrusage(2))."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a process: seconds by the clock, seconds of processor time, and the most memory in MB."""

    clock: float
    processor: float
    memory: float


def run() -> None:
    """Prints seconds, ratios and memory."""
    print(f"{machine()}\n")
    flights = build(DEFAULT_FOLDER, lambda text: print(text, file=sys.stderr))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        positions, empty = folder / "positions.ndjson.gz", folder / "empty.ndjson"
        count = write_copies(flights, positions, COPIES)
        empty.touch()
        _evaluated(flights.geofences, empty, folder)
        before = _cost([sys.executable, "-c", BASELINE, str(positions)])
        ours = {}
        for said, asked in SCENES.items():
            geofences = _asking(flights.geofences, asked, folder / "geofences.geojson")
            ours[said] = _evaluated(geofences, positions, folder)
        after = _cost([sys.executable, "-c", BASELINE, str(positions)])
    alone = Cost(
        (before.clock + after.clock) / 2,
        (before.processor + after.processor) / 2,
        max(before.memory, after.memory),
    )
    print(f"{count:,} positions, gzipped NDJSON to NDJSON, start to exit; {WANTED} times wanted")
    print(f"  {'':28}{'seconds':>9}{'times':>7}{'processor s':>13}{'times':>7}{'MB':>7}{'events':>11}")
    _print_row("gzip and json.loads alone", alone, alone, 0)
    for said, (cost, events) in ours.items():
        _print_row(said, cost, alone, events)


def _print_row(said: str, cost: Cost, alone: Cost, events: int) -> None:
    clock, processor = alone.clock / cost.clock, alone.processor / cost.processor
    print(
        f"  {said:28}{cost.clock:9.1f}{clock:7.1f}{cost.processor:13.1f}{processor:7.1f}"
        f"{cost.memory:7.0f}{events:11,}"
    )


def _asking(geofences: Path, asked: Callable[[int], dict[str, Any]], path: Path) -> Path:
    """The geofences, written to `path`, with what each asks for."""
    document = json.loads(geofences.read_bytes())
    for number, feature in enumerate(document["features"]):
        feature["properties"] |= asked(number)
    path.write_text(json.dumps(document))
    return path


def _evaluated(geofences: Path, positions: Path, folder: Path) -> tuple[Cost, int]:
    """What `overfly evaluate` took, and the number of events."""
    overfly, events = Path(sys.executable).with_name("overfly"), folder / "events.ndjson"
    files = ["--geofences", geofences, "--positions", positions, "--output", events]
    cost = _cost([str(overfly), "evaluate", *map(str, files)])
    return cost, events.read_bytes().count(b"\n")


def _cost(command: list[str]) -> Cost:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = [sys.executable, "-c", MEASURED, *command]
    done = subprocess.run(run, env=environment, check=True, stdout=subprocess.PIPE)
    return Cost(*cast(list[float], json.loads(done.stdout)))


if __name__ == "__main__":
    run()
