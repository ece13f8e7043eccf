"""One scene measured: a row for each kernel and size of batch.

Each way runs several times in turn, the best counts; all in one process, of whose processor time seconds are,
so that what else runs on the machine counts little.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from shapely.geometry import mapping

from benchmarks.bare_geos import BareGeos
from benchmarks.engine_scenes import SCENES
from benchmarks.one_at_a_time import OneAtATime
from benchmarks.simulated import Fixes
from geofence.containment import Containment
from geofence.evaluation.evaluator import evaluate
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.kernels import PRESENT, Kernel
from geofence.state.inside_state import InsideState

BATCHES = (500, 5_000, 100_000)
LOOPED = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """`inside` is how many geofences contain a position. `seconds`, `kept` and `peak` (MB) are of the build.

    Microseconds of one position: `geometry` of the index, `state` of what makes ENTER and EXIT of what the
    index found, `geos` of bare GEOS, which knows no state, `loop` of one position at a time with state.
    """

    scene: str
    count: int
    inside: float
    kernel: str
    seconds: float
    kept: float
    peak: float
    batch: int
    geometry: float
    state: float
    geos: float
    loop: float

    @property
    def whole(self) -> float:
        """Microseconds of a position, geometry and state."""
        return self.geometry + self.state

    @property
    def times_geos(self) -> float:
        """How many times as fast as bare GEOS the index alone is."""
        return self.geos / self.geometry

    @property
    def times_loop(self) -> float:
        """How many times as fast as the loop geometry and state together are."""
        return self.loop / self.whole


def rows(name: str, rounds: int) -> Iterator[Row]:
    """The rows of a scene, as they are measured."""
    geofences, fixes = SCENES[name]()
    built = [_built(geofences, kernel) for kernel in PRESENT]  # before anything is freed that they could use
    bare = BareGeos(geofences)
    loop = _looped(geofences, fixes.take(slice(LOOPED)))
    for kernel, (index, *size) in zip(PRESENT, built, strict=True):
        inside = _agreed(index, bare, fixes)
        for batch in BATCHES:
            best = _best(_ways(index, bare, _batches(fixes, batch), kernel), rounds)
            us = (seconds / len(fixes.device) * 1e6 for seconds in best)
            yield Row(name, len(geofences), inside, kernel.name, *size, batch, *us, loop)


def _ways(
    index: GeofenceIndex, bare: BareGeos, batches: Sequence[Fixes], kernel: Kernel
) -> Sequence[Callable[[], None]]:
    """Geometry, state, bare GEOS."""
    columns = [_fix_columns(batch) for batch in batches]
    found = [index.containing(batch.longitude, batch.latitude) for batch in batches]
    return (
        lambda: _contained(index.containing, batches),
        lambda: _evaluated(columns, found, kernel),
        lambda: _contained(bare.containing, batches),
    )


def _batches(fixes: Fixes, size: int) -> list[Fixes]:
    return [fixes.take(slice(start, start + size)) for start in range(0, len(fixes.device), size)]


def _contained(containing: Callable[..., object], batches: Sequence[Fixes]) -> None:
    for batch in batches:
        containing(batch.longitude, batch.latitude)


def _evaluated(batches: Sequence[FixColumns], found: Sequence[Containment], kernel: Kernel) -> None:
    state = InsideState(max(int(batch.device.max()) for batch in batches) + 1)
    for batch, containment in zip(batches, found, strict=True):
        state.apply(evaluate(batch, containment, state, kernel=kernel))


def _fix_columns(fixes: Fixes) -> FixColumns:
    unknown = np.full(len(fixes.device), np.nan)
    return FixColumns(
        fixes.device,
        [],
        fixes.sample_time,
        fixes.longitude,
        fixes.latitude,
        accuracy=unknown,
        altitudes=lambda numbers: unknown[numbers],
        properties=lambda numbers: [""] * len(numbers),
    )


class Built(NamedTuple):
    """An index, with the seconds that it took and the megabytes that it takes, and took at the most."""

    index: GeofenceIndex
    seconds: float
    kept: float
    peak: float


def _built(geofences: Sequence[Geofence], kernel: Kernel) -> Built:
    gc.collect()
    before = megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    start = time.process_time()
    index = GeofenceIndex(dict(enumerate(geofences, 1)), kernel=kernel)
    index.settle()
    seconds = time.process_time() - start
    gc.collect()
    return Built(index, seconds, megabytes("VmRSS") - before, megabytes("VmHWM") - before)


def megabytes(name: str) -> float:
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


def _looped(geofences: Sequence[Geofence], fixes: Fixes) -> float:
    """Microseconds a position one at a time, state and all."""
    evaluator = OneAtATime({"features": (_feature(geofence) for geofence in geofences)})
    columns = (fixes.device, fixes.sample_time, fixes.longitude, fixes.latitude)
    every = list(zip(*(column.tolist() for column in columns), strict=True))
    start = time.process_time()
    for device, sample_time, longitude, latitude in every:
        evaluator.crossings(device, sample_time, longitude, latitude)
    return (time.process_time() - start) / len(every) * 1e6


def _feature(geofence: Geofence) -> dict[str, object]:
    return {
        "id": geofence.id,
        "geometry": mapping(geofence.geometry),
        "properties": {} if geofence.radius is None else {"radius": geofence.radius},
    }
