"""Evaluation: from where devices were and where they are to what is told of it, in three stages.

    fixes  -> changes at fixes        always, here
    paths  -> changes between fixes   where a collection is crossed by segments (geofence/paths/)
    visits -> ENTER, EXIT, DWELL      where a geofence asks for more than changes (geofence/visits/visits.py)

A change is that a device comes into or goes out of a geofence. Fixes are numbered by device and sample_time
(see `NumberedFixes`). A pair of geofence and number says that the device was inside then. Sorted by geofence,
then number, a pair without the next lower number before it is an ENTER, one without the next higher number
after it an EXIT at the fix that follows.

The second stage is a function of what the first found, `PathStage`. It answers all changes, in any order:
those at fixes, without the ones for which it found the crossing itself, and its own (`interpolated`, with
share, time and place). The changes of one device and geofence, by number and share, are ENTER and EXIT in
turn; no two of them have the same number and share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.poor_fixes import PoorFixes
from geofence.containment import Containment
from geofence.evaluation import compiled_stage as compiled
from geofence.fixes.changes import Changes
from geofence.fixes.fix_columns import FixColumns
from geofence.fixes.last_fixes import LastFixes
from geofence.fixes.numbered_fixes import LOW, NumberedFixes
from geofence.kernels import Kernel, Library, chosen
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NO_VISITS, VisitRecords
from geofence.visits.inside_before import InsideBefore
from geofence.visits.visits import Visits


@dataclass(frozen=True, slots=True)
class RawInside:
    """What the first stage found: who was inside of what at fixes, and the `changes` at them.

    `pairs` are geofence << 32 | number, ascending, pasts among them. They say nothing of fixes that do not
    count for the geofence, as `poor` says; None if all do. Of a past that is for the caller to know.
    """

    numbers: NumberedFixes
    pairs: NDArray[np.int64]
    poor: PoorFixes | None
    changes: Changes


PathStage = Callable[[RawInside], Changes]


def evaluate(
    fixes: FixColumns,
    containment: Containment,
    state: InsideState,
    poor: PoorFixes | None = None,
    paths: PathStage | None = None,
    visits: Visits | None = None,
    kernel: Kernel | None = None,
) -> Evaluation:
    """What n fixes, in any order, of devices given by slot mean.

    `containment` is of the same fixes, `state` of what came before; neither is changed. `poor` says which of
    the fixes do not count for which geofences. `paths` adds what happened between fixes, `visits` turns
    changes into events; they have to be given where the state remembers visits. Where one of the three is
    given numpy serves, whatever the kernel (None: the best).
    """
    library = chosen(kernel).library
    if library is not None and poor is None and paths is None and visits is None:
        return _compiled(fixes, containment, state, library)
    numbers = NumberedFixes.of(fixes, state.watermark)
    fix, devices = numbers.fix, numbers.devices
    if visits is None:
        was_inside = state.pairs(devices)
    else:
        before = InsideBefore.of(devices, state)
        was_inside = before.in_area
    pairs, carried = _pairs(numbers, containment, *was_inside), None
    if poor is not None:
        pairs, carried = poor.carried(pairs, fix)
        pairs = np.concatenate([pairs, carried])
    pairs.sort()
    crossing, last = _crossings(pairs, carried, fix)
    changes = Changes.at_fixes(
        crossing >> 32,
        (crossing & GEOFENCE).astype(np.int32),
        ((crossing & ENTERING) != 0).astype(np.int8),
        fixes,
        numbers,
    )
    if paths is not None:
        changes = paths(RawInside(numbers, pairs, poor, changes))
    events, records = changes, NO_VISITS
    if visits is not None:
        told = visits.told(changes, before, numbers, fixes, state, poor)
        events, records, last = told.events, told.records, np.concatenate([last, told.pending])
    if paths is not None or visits is not None:
        events = events.in_order()
    inside = _inside_afterwards(numbers, events, last)
    return _evaluation(fixes, numbers, events, inside, records, paths is not None or state.remembers_fixes)


def _compiled(
    fixes: FixColumns, containment: Containment, state: InsideState, library: Library
) -> Evaluation:
    """The same by the compiled kernel, where every fix counts for all geofences and changes are events."""
    numbers = compiled.numbered(library, fixes.device, fixes.sample_time, state)
    found = compiled.changes(library, numbers, containment, state)
    events = Changes.at_fixes(found.number, found.geofence, found.kind, fixes, numbers)
    inside = InsideAfterwards(found.changed, found.inside_device, found.inside_geofence)
    return _evaluation(fixes, numbers, events, inside, NO_VISITS, state.remembers_fixes)


class InsideAfterwards(NamedTuple):
    """The `changed` devices, ascending, and what these are inside of afterwards, by device."""

    changed: NDArray[np.int32]
    device: NDArray[np.int32]
    geofence: NDArray[np.int32]


def _inside_afterwards(numbers: NumberedFixes, events: Changes, last: NDArray[np.int64]) -> InsideAfterwards:
    """Of the devices of events; `last` are the pairs that hold at each device's last fix."""
    place, devices = numbers.place(), numbers.devices
    has_changed = np.zeros(len(devices), np.bool_)
    has_changed[place[events.number]] = True
    holder = place[last & LOW]
    last, holder = last[has_changed[holder]], holder[has_changed[holder]]
    by_device = np.argsort(holder, kind="stable")
    return InsideAfterwards(
        devices[has_changed], devices[holder[by_device]], (last[by_device] >> 32).astype(np.int32)
    )


def _evaluation(
    fixes: FixColumns,
    numbers: NumberedFixes,
    events: Changes,
    inside: InsideAfterwards,
    records: VisitRecords,
    remembers_fixes: bool,
) -> Evaluation:
    position, last_fix = numbers.fix[events.number], numbers.fix[numbers.last]
    return Evaluation(
        late=numbers.late,
        position=position,
        device=fixes.device[position],
        geofence=events.geofence,
        kind=events.kind,
        time=events.time,
        longitude=events.longitude,
        latitude=events.latitude,
        interpolated=events.interpolated,
        share=events.share,
        ordinal=events.ordinals(),
        devices=numbers.devices,
        watermarks=fixes.sample_time[last_fix],
        last_fixes=LastFixes.of(fixes, last_fix) if remembers_fixes else None,
        changed=inside.changed,
        inside_device=inside.device,
        inside_geofence=inside.geofence,
        records=records,
    )


ENTERING = 1 << 31
GEOFENCE = ENTERING - 1


def _pairs(
    numbers: NumberedFixes,
    containment: Containment,
    place: NDArray[np.intp],
    geofence: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Who was in the area of what and when: geofence << 32 | number, in no order.

    Before, the device at each `place` was in that of the `geofence` beside it.
    """
    number = numbers.number[containment.position]
    now = containment.geofence.astype(np.int64) << 32 | number
    if numbers.late.any():
        now = now[number >= 0]
    before = geofence.astype(np.int64) << 32 | numbers.past[place]
    return np.concatenate([now, before])


def _crossings(
    pairs: NDArray[np.int64], carried: NDArray[np.int64] | None, fix: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The crossings as number << 32 | ENTERING | geofence, ascending, and the pairs of each device's last
    fix. `carried` are those of the pairs that continue the one before, whatever number it has.

    A pair may seem to follow the last fix of the device before. It does not matter: the one is of a past,
    which never is an ENTER, the other of a last fix, which never is an EXIT.
    """
    number, geofence = pairs & LOW, pairs >> 32
    follows = np.zeros(len(pairs) + 1, np.bool_)
    follows[1:-1] = pairs[1:] - pairs[:-1] == 1
    if carried is not None:
        follows[np.searchsorted(pairs, carried)] = True
    is_last = fix[number + 1] < 0
    enters = ~follows[:-1] & (fix[number] >= 0)
    leaves = ~follows[1:] & ~is_last
    crossing = np.concatenate(
        [
            number[enters] << 32 | ENTERING | geofence[enters],
            (number[leaves] + 1) << 32 | geofence[leaves],
        ]
    )
    crossing.sort()
    return crossing, pairs[is_last]
