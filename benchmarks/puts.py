"""Geofences put among 100 thousand: how long a put takes, and the next batch of 500 positions, which sees it.

When one in a hundred has changed, the bulk is built anew in a thread beside, as in the tracker; that thread
and these calls share the interpreter's lock. Milliseconds are those of the clock, and of the processor time
that the calls themselves took; the difference is waiting, for the lock or for what else the machine does.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count, cycle

import numpy as np

from benchmarks.machine import machine
from benchmarks.simulated import EUROPE, Fixes, mixed, tracks
from geofence.evaluation.fence_conditions import FenceConditions
from geofence.index.geofence_index import Build, Bulk, GeofenceIndex
from service.building_aside import in_a_daemon_thread

COUNT, PUTS, BATCH = 100_000, 4_000, 500
PERCENTILES = (50, 99, 100)
HEADING = (
    "".join(f"{of:>9}" for of in ("half", "99 %", "all", "half", "99 %", "all")) + "   (clock, processor)"
)


def run() -> None:
    """Prints percentiles, with the bulk at rest and while it is built anew."""
    print(f"{machine()}\n")
    builds = _Builds()
    index = GeofenceIndex(dict(enumerate(mixed(COUNT), 1)), builds)
    index.settle()
    conditions = FenceConditions()
    puts, searches = _Times(), _Times()
    for geofence, batch, key in zip(mixed(PUTS, seed=3), _batches(), _keys(), strict=False):
        inside = geofence.geometry.representative_point()
        batch.longitude[0], batch.latitude[0] = inside.x, inside.y
        building = builds.going_on()
        with puts.measured(building):
            conditions.put({key: geofence})
            index.put(key, geofence)
        with searches.measured(building):
            found = index.containing(batch.longitude, batch.latitude)
        assert key in found.geofence[found.position == 0], "the put was not seen"
    print(f"{'ms':<34}{'times':>6} |" + HEADING)
    for name, times in (("put", puts), (f"next {BATCH} positions", searches)):
        for building, when in ((False, "bulk at rest"), (True, "bulk built anew")):
            print(f"{name + ', ' + when:<34}{times.line(building)}")


def _keys() -> Iterator[int]:
    """Those whose place is taken, far from one another."""
    return (number * 25 % COUNT + 1 for number in count())


def _batches() -> Iterator[Fixes]:
    """Batches of positions, again and again, which may be changed."""
    fixes = tracks(EUROPE)
    starts = cycle(range(0, len(fixes.device), BATCH))
    for start in starts:
        yield fixes.copy(slice(start, start + BATCH))


class _Times:
    """Milliseconds by the clock and of processor time, apart for when the bulk is built anew."""

    def __init__(self) -> None:
        self._taken: dict[bool, list[tuple[float, float]]] = {False: [], True: []}

    @contextmanager
    def measured(self, building: bool) -> Iterator[None]:
        """Of what is done within."""
        clock, processor = time.perf_counter(), time.thread_time()
        yield
        taken = time.perf_counter() - clock, time.thread_time() - processor
        self._taken[building].append((taken[0] * 1e3, taken[1] * 1e3))

    def line(self, building: bool) -> str:
        """How many, and percentiles."""
        taken = np.array(self._taken[building]).reshape(-1, 2)
        if not len(taken):
            return f"{0:>6} |"
        figures = np.percentile(taken, PERCENTILES, axis=0).T.ravel()
        return f"{len(taken):>6} |" + "".join(f"{figure:>9.2f}" for figure in figures)


class _Builds:
    """Builds aside as the tracker does, and knows whether a build goes on."""

    def __init__(self) -> None:
        self._last: Future[Bulk] | None = None

    def __call__(self, build: Build) -> "Future[Bulk]":
        self._last = in_a_daemon_thread(build)
        return self._last

    def going_on(self) -> bool:
        return self._last is not None and not self._last.done()
