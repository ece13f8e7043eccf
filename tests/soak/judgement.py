"""What must be true at the end of the soak: a sentence for each that is not."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tests.soak.measures import MIB, Measures, Minute
from tests.soak.plant import Plant
from tests.soak.traffic import Traffic
from tests.told import Told

YOUNG_SECONDS = 60.0
"""A process's memory is looked at from this age on: before, it fills its caches."""
RISE, LEAST_RISE = 0.10, 12 * MIB
"""How much a process may grow over the second half: a tenth of what it has, or so many bytes if more."""
FEWEST = 12
"""Measurements without which nothing is said of memory."""
BYTES_RISE = 0.10
"""How much bytes per position may grow over the second half."""
JUDGED = ("tracker", "teller", "api")
"""Of whom memory is judged, by the beginnings of their names; broker and database are only told."""


def violations(plant: Plant, traffic: Traffic, told: Told, measures: Measures) -> Iterator[str]:
    """All of them, when everything has settled."""
    yield from plant.faults
    yield from of_positions(plant, traffic)
    yield from of_events(plant, told)
    yield from of_memory(measures)
    yield from of_disk(measures.minutes)
    yield from of_database(plant)


def of_positions(plant: Plant, traffic: Traffic) -> Iterator[str]:
    """Each published fix is stored once, evaluated in its turn, and nothing else is."""
    stored = (
        "SELECT position.sample_time FROM position JOIN device ON key = device_key"
        " WHERE device_id = %s ORDER BY 1"
    )
    missing = invented = 0
    with plant.connected() as connection:
        for device_id, times in traffic.times():
            found = np.array([row[0] for row in connection.execute(stored, [device_id])], np.int64)
            missing += len(np.setdiff1d(times, found))
            invented += len(found) - len(np.intersect1d(found, times))
    if missing:
        yield f"{missing:,} published positions are not stored"
    if invented:
        yield f"{invented:,} stored positions were never published"
    late, unevaluated = plant.row(
        "SELECT count(*) FILTER (WHERE late), count(*) FILTER (WHERE NOT late AND revision IS NULL)"
        " FROM position"
    )
    if late:
        yield f"{late:,} positions came after their turn"
    if unevaluated:
        yield f"{unevaluated:,} positions are not evaluated"
    (rejects,) = plant.row("SELECT count(*) FROM reject")
    if rejects:
        yield f"{rejects:,} rejects"


def of_events(plant: Plant, told: Told) -> Iterator[str]:
    """The listener heard each stored event, of each device in order, and none that is not stored."""
    with plant.connected() as connection:
        stored = {row[0] for row in connection.execute("SELECT event_id FROM event")}
    heard = set(told.events)
    if not stored:
        yield "there are no events"
    if stored - heard:
        yield f"{len(stored - heard):,} stored events were not told, such as {min(stored - heard)}"
    if heard - stored:
        yield f"{len(heard - stored):,} events were told and are not stored, such as {min(heard - stored)}"
    if out_of_order := told.out_of_order():
        yield f"{len(out_of_order):,} events were told after a later one of their device: {out_of_order[0]}"


def of_memory(measures: Measures) -> Iterator[str]:
    """Nobody who lives through the second half grows in it by more than `RISE` or `LEAST_RISE`, and nobody
    of a kind gets larger by that in the second half than one has been in the first: who was killed, or came,
    grows for minutes until it knows the devices of its shards.
    """
    lives = Counter(name for name, _ in measures.memory)
    for name, (rise, size) in rises(measures).items():
        if name.startswith(JUDGED) and lives[name] == 1 and rise > max(RISE * size, LEAST_RISE):
            yield f"{name} grows by {rise / MIB:.1f} MiB over the second half, of {size / MIB:.0f} MiB"
    for kind, (first, second) in peaks(measures).items():
        if kind in JUDGED and second > first + max(RISE * first, LEAST_RISE):
            yield f"{kind}: {first / MIB:.0f} MiB at most in the first half, {second / MIB:.0f} in the second"


def peaks(measures: Measures) -> dict[str, tuple[int, int]]:
    """By kind of process: the most bytes that one had in the first half, and in the second."""
    half = _half(measures)
    found: dict[str, tuple[int, int]] = {}
    for (name, _), series in measures.memory.items():
        kind = name.partition("-")[0]
        first, second = found.get(kind, (0, 0))
        first = max([first, *(size for at, size in series if at < half)])
        found[kind] = first, max([second, *(size for at, size in series if at >= half)])
    return found


def rises(measures: Measures) -> dict[str, tuple[float, float]]:
    """By name: bytes that it grew over the second half, and its mean.

    One slope for all processes of a name, by least squares, each around its own mean, times the longest time
    that one was looked at: what was killed begins again and tells of its own life only.
    """
    half = _half(measures)
    found: dict[str, list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]] = {}
    for (name, _), series in measures.memory.items():
        born = series[0][0] if series[0][0] > YOUNG_SECONDS / 2 else 0.0
        grown = [(at, size) for at, size in series if at >= max(half, born + YOUNG_SECONDS)]
        if len(grown) >= FEWEST:
            found.setdefault(name, []).append(np.array(grown, np.float64))
    answer = {}
    for name, lives in found.items():
        around = np.concatenate([life - life.mean(axis=0) for life in lives])
        slope = (around[:, 0] @ around[:, 1]) / (around[:, 0] @ around[:, 0])
        longest = max(float(np.ptp(life[:, 0])) for life in lives)
        answer[name] = (float(slope) * longest, float(np.concatenate(lives)[:, 1].mean()))
    return answer


def _half(measures: Measures) -> float:
    return max((series[-1][0] for series in measures.memory.values()), default=0.0) / 2


def of_disk(minutes: list[Minute]) -> Iterator[str]:
    """The database does not grow faster than what is stored in it."""
    if len(minutes) < 3:
        yield f"the database was measured {len(minutes)} times only"
        return
    middle, last = (minute.bytes_per_position for minute in (minutes[len(minutes) // 2], minutes[-1]))
    if last > middle * (1 + BYTES_RISE):
        yield f"bytes per position: {middle:.0f} at half, {last:.0f} at the end"


def of_database(plant: Plant) -> Iterator[str]:
    """`overfly db check` finds it to be what its history gives."""
    command = [sys.executable, "-c", "from service.cli import main; main()", "db", "check"]
    checked = subprocess.run(
        command, env=plant.api.environment(), capture_output=True, text=True, check=False, timeout=3600
    )
    print(f"db check: {checked.stdout.strip()[-300:]}", flush=True)
    if checked.returncode != 0:
        yield f"db check ends with {checked.returncode}: {(checked.stdout + checked.stderr)[:500]}"
