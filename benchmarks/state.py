"""What is remembered of 1 million devices, each in 3 geofences of 100 thousand: memory, and time to keep it.

The state grows as devices come, by the thousand. Memory is what it holds at the end, without ids of devices.
Seconds are of processor time, the best of three.
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from shapely.geometry import Point

from benchmarks.machine import machine
from geofence.geofence import Geofence
from geofence.state.inside_state import InsideState
from service.carried_state import CarriedState, Terms
from service.state_file import read_state_file, write_state_file

DEVICES, INSIDE, GEOFENCES, AT_ONCE = 1_000_000, 3, 100_000, 5_000
WANTED = 64

Result = TypeVar("Result")


def run() -> None:
    """Prints megabytes and seconds."""
    print(f"{machine()}\n")
    tracemalloc.start()
    state = _filled()
    held = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    kept, kept_in = _best(state.snapshot)
    again, taken_up_in = _best(lambda: InsideState.of(kept))
    assert all(np.array_equal(a, b) for a, b in zip(_columns(again), _columns(state), strict=True))
    carried = CarriedState((f"device-{number}" for number in range(DEVICES)), state)
    geofences = [Geofence(f"area-{number}", Point(0, 0), 1.0, {}) for number in range(GEOFENCES)]
    terms = Terms.of(geofences, unknown_altitude_inside=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        _, written_in = _best(lambda: write_state_file(path, carried, terms))
        size = path.stat().st_size / 2**20
        _, read_in = _best(lambda: read_state_file(path, terms))
    print(f"{DEVICES:,} devices, each in {INSIDE} geofences")
    print(f"  held in memory            {held:7.1f} MB  (below {WANTED} wanted)")
    print(f"  to columns, and back      {kept_in:7.2f} s  {taken_up_in:7.2f} s")
    print(f"  to a file, and back       {written_in:7.2f} s  {read_in:7.2f} s   {size:.0f} MB with all ids")


def _filled() -> InsideState:
    random = np.random.default_rng(0)
    state = InsideState()
    for start in range(0, DEVICES, AT_ONCE):
        slots = np.arange(start, min(start + AT_ONCE, DEVICES))
        state.grow(int(slots[-1]) + 1)
        state.set_watermark(slots, random.integers(1_500_000_000_000, 1_600_000_000_000, len(slots)))
        first = random.integers(1, GEOFENCES - INSIDE, len(slots))
        state.load(np.repeat(slots, INSIDE), (first[:, None] + np.arange(INSIDE)).ravel().astype(np.int32))
    return state


def _columns(state: InsideState) -> list[np.ndarray]:
    return list(state.snapshot().named().values())


def _best(way: Callable[[], Result], rounds: int = 3) -> tuple[Result, float]:
    """What it gives, and the least seconds that it took."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        result = way()
        seconds.append(time.process_time() - start)
    return result, min(seconds)
