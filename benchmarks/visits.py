"""Evaluation where geofences ask for more than ENTER and EXIT, beside the same where they ask for nothing.

All geofences ask, which is the worst there is. What contains the positions is found before; microseconds are
those of the processor for one position's evaluation and state.
"""

import time
from dataclasses import replace

import numpy as np

from benchmarks.engine import SCENES
from benchmarks.simulated import Fixes
from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.evaluation.fence_conditions import FenceConditions
from geofence.evaluation.watched import Joining, Watched
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.state.inside_state import InsideState

BATCHES = (500, 5_000, 100_000)
MOST, ROUNDS = 100_000, 3
SIZES = ("flights", "1k", "dense")
ASKED: dict[str, tuple[Conditions, Joining | None]] = {
    "nothing": (UNCONDITIONAL, None),
    "dwell": (Conditions(dwell_seconds=60), None),
    "seconds": (Conditions(exit_after_seconds=60), None),
    "metres": (Conditions(exit_after_metres=500), None),
    "segment": (UNCONDITIONAL, Joining()),
    "all": (Conditions(dwell_seconds=60, exit_after_seconds=60, exit_after_metres=500), Joining()),
}


def run() -> None:
    """Prints a table: what nothing costs, and how many times that the others take."""
    others = "".join(f"{f'x {name}':>11}" for name in list(ASKED)[1:])
    print(f"{'fences':<9}{'number':>9} |{'batch':>8}{'nothing us':>12} |{others}", flush=True)
    for name in SIZES:
        geofences, fixes = SCENES[name]()
        _measure(name, geofences, fixes.take(slice(0, MOST)))


def _measure(name: str, geofences: list[Geofence], fixes: Fixes) -> None:
    index = GeofenceIndex(dict(enumerate(geofences, 1)))
    index.settle()
    ways = []
    for asked, joining in ASKED.values():
        conditions = FenceConditions()
        conditions.put({key: replace(each, conditions=asked) for key, each in enumerate(geofences, 1)})
        ways.append((conditions, [Watched(index, joining)]))
    for batch in BATCHES:
        parts = [_columns(fixes.take(slice(at, at + batch))) for at in range(0, len(fixes.device), batch)]
        contained = [index.containing(part.longitude, part.latitude) for part in parts]
        best = [float("inf")] * len(ways)
        for _ in range(ROUNDS):
            for number, (conditions, watched) in enumerate(ways):
                state = InsideState(int(fixes.device.max()) + 1)
                start = time.process_time()
                for part, containment in zip(parts, contained, strict=True):
                    state.apply(conditions.evaluate(part, containment, state, watched))
                best[number] = min(best[number], time.process_time() - start)
        ratios = "".join(f"{seconds / best[0]:>11.1f}" for seconds in best[1:])
        microseconds = best[0] / len(fixes.device) * 1e6
        print(f"{name:<9}{len(geofences):>9,} |{batch:>8,}{microseconds:>12.2f} |{ratios}", flush=True)


def _columns(fixes: Fixes) -> FixColumns:
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
