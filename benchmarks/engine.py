"""The geofence engine beside bare GEOS in bulk and beside the one-at-a-time loop, by fences and by batch.

Positions are tracks, by time. "geometry" is the index alone, "state" adds ENTER and EXIT. Bare GEOS knows no
state; the loop has it. Each way runs several times in turn, the best counts; all in one process, of whose
processor time seconds are, so that what else runs on the machine counts little.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from shapely.geometry import mapping

from benchmarks.bare_geos import BareGeos
from benchmarks.one_at_a_time import OneAtATime
from benchmarks.outlines import country_outlines
from benchmarks.simulated import EUROPE, Fixes, disjoint, mixed, tracks
from geofence.evaluator import evaluate
from geofence.geofence import Geofence
from geofence.geojson import read_geofences
from geofence.index import GeofenceIndex
from geofence.kernels import BEST, PRESENT, Kernel
from geofence.state import InsideState
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import read_positions
from sample_data.flights import DEFAULT_FOLDER, build

BATCHES = (500, 5_000, 100_000)
FIXES, LOOPED = 200_000, 4_000
DENSE, WORLD = (0.0, 45.0, 8.0, 49.0), (-180.0, -60.0, 180.0, 75.0)

Scene = tuple[list[Geofence], Fixes]


def _flights() -> Scene:
    flights = build(DEFAULT_FOLDER, lambda text: print(text, file=sys.stderr))
    read = read_positions(flights.positions, DecodeLimits(max_ahead=None))
    columns = (read.device, read.sample_time, read.longitude, read.latitude)
    return read_geofences(flights.geofences.read_bytes()), Fixes(*(column[:FIXES] for column in columns))


SCENES: dict[str, Callable[[], Scene]] = {
    "flights": _flights,
    "100": lambda: (mixed(100), tracks(EUROPE)),
    "1k": lambda: (mixed(1_000), tracks(EUROPE)),
    "dense": lambda: (mixed(1_500, DENSE), tracks(DENSE)),
    "disjoint": lambda: (disjoint(40, 50), tracks(EUROPE)),
    "outlines": lambda: (country_outlines(), tracks(WORLD)),
    "10k": lambda: (mixed(10_000), tracks(EUROPE)),
    "100k": lambda: (mixed(100_000), tracks(EUROPE)),
    "1m": lambda: (mixed(1_000_000), tracks(EUROPE)),
}
BY_DEFAULT = [name for name in SCENES if name not in {"outlines", "1m"}]
HEADING = (
    f"{'fences':<9}{'number':>9}{'inside':>7}{'build s':>8}{'MB':>6}{'peak':>6} |{'batch':>8}"
    f"{'geometry us':>12}{'state us':>9}{'GEOS us':>8}{'loop us':>8} |{'x GEOS':>7}{'x loop':>7}"
)


def run(*arguments: str) -> None:
    """Prints a table; microseconds are those of one position, the ratios geometry alone and with state."""
    parser = argparse.ArgumentParser(prog="./run bench engine", description=__doc__)
    parser.add_argument(
        "scenes",
        nargs="*",
        metavar="FENCES",
        help=f"of {', '.join(SCENES)}; outlines and 1m only if named (outlines are fetched by npm)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="times that each way runs (default 3)")
    names = [kernel.name for kernel in PRESENT]
    parser.add_argument("--kernel", choices=names, default=BEST.name, help=f"(default {BEST.name})")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.scenes if name not in SCENES]
    if unknown:
        parser.error(f"no fences {unknown[0]!r}: expected some of {', '.join(SCENES)}")
    print(HEADING, flush=True)
    for name in options.scenes or BY_DEFAULT:
        _measure(name, *SCENES[name](), options.rounds, PRESENT[names.index(options.kernel)])


@dataclass(frozen=True, slots=True)
class Built:
    """An index, with the seconds that it took and the megabytes that it takes, and took at the most."""

    index: GeofenceIndex
    seconds: float
    kept: float
    peak: float


def _measure(name: str, geofences: list[Geofence], fixes: Fixes, rounds: int, kernel: Kernel) -> None:
    built = _built(geofences, kernel)
    bare = BareGeos(geofences)
    loop = _looped(geofences, fixes.take(slice(LOOPED)))
    inside = _agreed(built.index, bare, fixes)
    for batch in BATCHES:
        ways: list[Callable[[], object]] = [
            lambda batch=batch: _contained(built.index.containing, fixes, batch),
            lambda batch=batch: _evaluated(built.index, fixes, batch, kernel),
            lambda batch=batch: _contained(bare.containing, fixes, batch),
        ]
        geometry, state, geos = (seconds / len(fixes.device) * 1e6 for seconds in _best(ways, rounds))
        print(
            f"{name:<9}{len(geofences):>9,}{inside:>7.2f}{built.seconds:>8.2f}{built.kept:>6.0f}"
            f"{built.peak:>6.0f} |{batch:>8,}{geometry:>12.3f}{state:>9.3f}{geos:>8.3f}{loop:>8.1f} |"
            f"{geos / geometry:>7.2f}{loop / state:>7.1f}",
            flush=True,
        )


def _built(geofences: Sequence[Geofence], kernel: Kernel) -> Built:
    gc.collect()
    before = _megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    start = time.process_time()
    index = GeofenceIndex(dict(enumerate(geofences, 1)), kernel=kernel)
    index.settle()
    seconds = time.process_time() - start
    gc.collect()
    return Built(index, seconds, _megabytes("VmRSS") - before, _megabytes("VmHWM") - before)


def _megabytes(name: str) -> float:
    """Of this process's memory (proc(5): VmRSS is what it has, VmHWM the most that it had)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _agreed(index: GeofenceIndex, bare: BareGeos, fixes: Fixes) -> float:
    """Both find the same pairs; how many a position."""
    some = fixes.take(slice(20_000))
    found = index.containing(some.longitude, some.latitude)
    ours = found.position << 32 | found.geofence
    position, geofence = bare.containing(some.longitude, some.latitude)
    assert np.array_equal(ours, np.unique(position << 32 | geofence + 1)), "the two found other pairs"
    return len(ours) / len(some.device)


def _best(ways: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    best = [float("inf")] * len(ways)
    for _ in range(rounds):
        for number, way in enumerate(ways):
            start = time.process_time()
            way()
            best[number] = min(best[number], time.process_time() - start)
    return best


def _batches(fixes: Fixes, batch: int) -> Iterator[Fixes]:
    return (fixes.take(slice(start, start + batch)) for start in range(0, len(fixes.device), batch))


def _contained(containing: Callable[..., object], fixes: Fixes, batch: int) -> None:
    for part in _batches(fixes, batch):
        containing(part.longitude, part.latitude)


def _evaluated(index: GeofenceIndex, fixes: Fixes, batch: int, kernel: Kernel) -> None:
    state = InsideState(int(fixes.device.max()) + 1)
    for part in _batches(fixes, batch):
        containment = index.containing(part.longitude, part.latitude)
        state.apply(evaluate(part.device, part.sample_time, containment, state, kernel=kernel))


def _looped(geofences: Sequence[Geofence], fixes: Fixes) -> float:
    """Microseconds a position one at a time, state and all."""
    evaluator = OneAtATime({"features": [_feature(geofence) for geofence in geofences]})
    columns = (fixes.device, fixes.sample_time, fixes.longitude, fixes.latitude)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    start = time.process_time()
    for device, sample_time, longitude, latitude in rows:
        evaluator.crossings(device, sample_time, longitude, latitude)
    return (time.process_time() - start) / len(rows) * 1e6


def _feature(geofence: Geofence) -> dict[str, object]:
    return {
        "id": geofence.id,
        "geometry": mapping(geofence.geometry),
        "properties": {} if geofence.radius is None else {"radius": geofence.radius},
    }


if __name__ == "__main__":
    run(*sys.argv[1:])
