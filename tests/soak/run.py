"""The soak from its first second to its summary."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_data.flights import DEFAULT_FOLDER
from tests.brokers import Mosquitto
from tests.postgres import Postgres
from tests.soak.changes import Changes
from tests.soak.faults import fault
from tests.soak.judgement import rises, violations
from tests.soak.measures import COUNTS, MIB, Measures, clock
from tests.soak.plant import Plant
from tests.soak.traffic import Traffic
from tests.told import Told

DEVICES = 5000
PART = 0.7
"""Of what is stored in the first seconds, published from then on."""
BETWEEN_FAULTS = (10.0, 40.0)
BETWEEN_CHANGES = 4.0
BETWEEN_LOOKS = 5.0
BETWEEN_COUNTS = 60.0
PATIENCE = 180.0
"""Seconds in which something more must be stored and told while not all is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`seconds` of flights; `rate` None: a part of what is stored in the first seconds."""

    seconds: float
    seed: int
    rate: float | None = None
    devices: int = DEVICES


def soak(folder: Path, terms: Terms, choice: random.Random) -> dict[str, Any]:
    """Runs it; answers the summary, with what failed."""
    with (
        Postgres.of_its_own() as postgres,
        Mosquitto(folder / "broker") as broker,
        Told(broker) as told,
    ):
        plant = Plant(folder, postgres, broker)
        try:
            plant.start(DEFAULT_FOLDER / "geofences.geojson")
            changes = Changes(plant, random.Random(choice.random()))  # noqa: S311 - changes, no secrets
            changes.begin()
            traffic = Traffic(broker.url, terms.devices, terms.seed)
            kept_up = _first_seconds(plant, traffic)
            rate = terms.rate or PART * kept_up
            print(
                f"{kept_up:,.0f} positions/s stored at first, {rate:,.0f} published from now on", flush=True
            )
            measures = Measures(plant, traffic, told)
            traffic.fly(rate, terms.seconds)
            faults = _disturbed(plant, changes, measures, terms, choice)
            traffic.finish()
            print(f"{clock(measures.seconds)} {traffic.published:,} published, all acknowledged", flush=True)
            _settle(plant, measures)
            plant.end()
            failures = list(violations(plant, traffic, told, measures))
        finally:
            plant.kill()
    return _summary(terms, rate, kept_up, faults, changes.done, measures, failures)


def _first_seconds(plant: Plant, traffic: Traffic) -> float:
    """Positions a second that are stored while a flood comes, after its first tenth."""
    count = traffic.flood()
    stored = began_with = 0
    began = time.monotonic()
    while stored < count:
        plant.restart_the_dead()
        assert traffic.problem is None and not plant.faults, traffic.problem or plant.faults
        time.sleep(0.1)  # between two looks, which cost the database little then
        stored, _ = plant.row(COUNTS)
        if began_with == 0 and stored >= count / 10:
            began, began_with = time.monotonic(), stored
    return (count - began_with) / (time.monotonic() - began)


def _disturbed(
    plant: Plant, changes: Changes, measures: Measures, terms: Terms, choice: random.Random
) -> Counter[str]:
    """Faults, changes and measurements, each in its time; answers the faults by kind."""
    done: Counter[str] = Counter()
    next_fault, next_change, next_look, next_count = choice.uniform(*BETWEEN_FAULTS), 0.0, 0.0, 0.0
    while (now := measures.seconds) < terms.seconds:
        if now >= next_fault:
            kind, what = fault(plant, choice)
            print(f"{clock(measures.seconds)} {what}", flush=True)
            done[kind] += 1
            next_fault = measures.seconds + choice.uniform(*BETWEEN_FAULTS)
        if now >= next_change:
            changes.change()
            next_change = now + BETWEEN_CHANGES
        if now >= next_look:
            plant.restart_the_dead()
            measures.look()
            next_look = now + BETWEEN_LOOKS
        if now >= next_count:
            measures.count()
            next_count = now + BETWEEN_COUNTS
        time.sleep(0.2)  # until it asks again what is due
    return done


def _settle(plant: Plant, measures: Measures) -> None:
    """Until all that was published is stored and all events are heard, as long as it goes on."""
    before, moved = (-1, -1), time.monotonic()
    last = measures.minutes[-1]
    while time.monotonic() < moved + PATIENCE:
        plant.restart_the_dead()
        measures.look()
        measures.count()
        last = measures.minutes[-1]
        if last.lag == 0 and last.events == last.heard and (last.stored, last.events) == before:
            return
        if (last.stored, last.heard) != before:
            before, moved = (last.stored, last.heard), time.monotonic()
        time.sleep(BETWEEN_LOOKS)  # two alike that far apart say that it has settled
    plant.faults.append(
        f"nothing went on for {PATIENCE:g} s: {last.lag:,} published are not stored, "
        f"{last.events - last.heard:,} events not heard"
    )


def _summary(
    terms: Terms,
    rate: float,
    kept_up: float,
    faults: Counter[str],
    changes: Counter[str],
    measures: Measures,
    failures: list[str],
) -> dict[str, Any]:
    last = measures.minutes[-1]
    return {
        "seed": terms.seed,
        "minutes": terms.seconds / 60,
        "rate": round(rate),
        "keptUpAtFirst": round(kept_up),
        "devices": terms.devices,
        "faults": faults,
        "geofenceChanges": changes,
        "published": last.published,
        "stored": last.stored,
        "events": last.events,
        "heard": last.heard,
        "greatestLag": max(minute.lag for minute in measures.minutes),
        "settleSeconds": round(last.seconds - terms.seconds),
        "bytesPerPosition": [round(minute.bytes_per_position) for minute in measures.minutes],
        "risesMiB": {
            name: {"rise": round(rise / MIB, 1), "mean": round(size / MIB)}
            for name, (rise, size) in rises(measures).items()
        },
        "failures": failures,
    }
