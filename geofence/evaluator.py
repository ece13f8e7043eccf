"""Crossings: from where devices were and where they are to what they entered and left.

All devices are evaluated at once. Their fixes, by device and sample_time, are numbered with one free
number before each device, which stands for what the device was inside of before:

    number     0     1     2     3     4     5     6
    what       A's   A     A     A     B's   B     B
               past  10:00 10:05 10:10 past  10:02 10:04

A pair of geofence and number says that the device was inside then. Sorted by geofence, then number, a
pair without the next lower number before it is an ENTER, one without the next higher number after it an
EXIT at the fix that follows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.compiled import evaluation as compiled
from geofence.index import Containment
from geofence.kernels import Kernel, Library, chosen
from geofence.poor_fixes import PoorFixes
from geofence.state import InsideState


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What n fixes meant. `InsideState.apply` makes it so.

    `late` (n) marks fixes that are not evaluated: at or before their device's watermark, or not the first
    of their device and sample_time. `position`, `geofence` and `entering` (m) are the crossings: the
    number of the fix, the geofence's key, ENTER or EXIT; by device, sample_time, EXIT before ENTER,
    geofence. `devices` and `watermarks` (k) are the devices evaluated, ascending, with the sample_time
    (ms) of their last fix. `changed` are those of them with crossings; `inside_device` and
    `inside_geofence` are what these are inside of afterwards, by device.
    """

    late: NDArray[np.bool_]
    position: NDArray[np.int64]
    geofence: NDArray[np.int32]
    entering: NDArray[np.bool_]
    devices: NDArray[np.int32]
    watermarks: NDArray[np.int64]
    changed: NDArray[np.int32]
    inside_device: NDArray[np.int32]
    inside_geofence: NDArray[np.int32]


def evaluate(
    device: NDArray[np.int32],
    sample_time: NDArray[np.int64],
    containment: Containment,
    state: InsideState,
    poor: PoorFixes | None = None,
    kernel: Kernel | None = None,
) -> Evaluation:
    """The crossings of n fixes, in any order, of devices given by slot (`sample_time` in ms).

    `containment` is of the same fixes, `state` of what came before; neither is changed. `poor` says which of
    the fixes do not count for which geofences; then numpy serves, whatever the kernel (None: the best).
    """
    library = chosen(kernel).library
    if library is not None and poor is None:
        return _compiled(device, sample_time, containment, state, library)
    order = _by_device_and_time(device, sample_time)
    kept = order[_in_time(device[order], sample_time[order], state)]
    late = np.ones(len(device), np.bool_)
    late[kept] = False

    owner, time = device[kept], sample_time[kept]
    begins = np.ones(len(kept), np.bool_)
    begins[1:] = owner[1:] != owner[:-1]
    number = np.arange(len(kept)) + np.cumsum(begins)
    past = number[begins] - 1
    devices = owner[begins]

    fix = np.full(len(kept) + len(past) + 1, -1)  # of each number; -1 for a past and behind the last
    fix[number] = kept
    number_of_fix = np.full(len(device), -1)
    number_of_fix[kept] = number

    pairs = _pairs(number_of_fix, past, devices, containment, state)
    carried = np.empty(0, np.int64)
    if poor is not None:
        pairs, carried = poor.carried(pairs, fix)
        pairs = np.concatenate([pairs, carried])
    pairs.sort()
    crossing, last = _crossings(pairs, carried, fix)
    at = crossing >> 32
    place = np.cumsum(fix[:-1] < 0) - 1  # of each number, which of `devices` it belongs to
    changes = np.zeros(len(devices), np.bool_)
    changes[place[at]] = True
    holder = place[last & LOW]
    last, holder = last[changes[holder]], holder[changes[holder]]
    by_device = np.argsort(holder, kind="stable")

    return Evaluation(
        late=late,
        position=fix[at],
        geofence=(crossing & GEOFENCE).astype(np.int32),
        entering=(crossing & ENTERING) != 0,
        devices=devices,
        watermarks=time[np.append(begins[1:], True)] if len(kept) else time,
        changed=devices[changes],
        inside_device=devices[holder[by_device]],
        inside_geofence=(last[by_device] >> 32).astype(np.int32),
    )


def _compiled(
    device: NDArray[np.int32],
    sample_time: NDArray[np.int64],
    containment: Containment,
    state: InsideState,
    library: Library,
) -> Evaluation:
    """The same by the compiled kernel, where every fix counts for all geofences."""
    numbers = compiled.numbered(library, device, sample_time, state)
    changes = compiled.changes(library, numbers, containment, state)
    last = np.append(numbers.past[1:], len(numbers.fix) - 1)[: len(numbers.past)] - 1
    return Evaluation(
        late=numbers.late,
        position=numbers.fix[changes.number],
        geofence=changes.geofence,
        entering=changes.kind.view(np.bool_),
        devices=numbers.devices,
        watermarks=sample_time[numbers.fix[last]],
        changed=changes.changed,
        inside_device=changes.inside_device,
        inside_geofence=changes.inside_geofence,
    )


LOW = (1 << 32) - 1
ENTERING = 1 << 31
GEOFENCE = ENTERING - 1


def _by_device_and_time(device: NDArray[np.int32], sample_time: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stable order of fixes by device, then sample_time."""
    if np.all(sample_time[1:] >= sample_time[:-1]):
        return np.sort(device.astype(np.int64) << 32 | np.arange(len(device))) & LOW
    return np.lexsort((sample_time, device))


def _in_time(
    device: NDArray[np.int32], sample_time: NDArray[np.int64], state: InsideState
) -> NDArray[np.bool_]:
    """Which fixes, by device and sample_time, are past their device's watermark and first of their time."""
    in_time = sample_time > state.watermark[device]
    in_time[1:] &= (device[1:] != device[:-1]) | (sample_time[1:] != sample_time[:-1])
    return in_time


def _pairs(
    number_of_fix: NDArray[np.int64],
    past: NDArray[np.int64],
    devices: NDArray[np.int32],
    containment: Containment,
    state: InsideState,
) -> NDArray[np.int64]:
    """Who was inside of what and when: geofence << 32 | number, in no order."""
    number = number_of_fix[containment.position]
    evaluated = number >= 0
    now = (containment.geofence.astype(np.int64) << 32 | number)[evaluated]
    place, geofence = state.pairs(devices)
    before = geofence.astype(np.int64) << 32 | past[place]
    return np.concatenate([now, before])


def _crossings(
    pairs: NDArray[np.int64], carried: NDArray[np.int64], fix: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The crossings as number << 32 | ENTERING | geofence, ascending, and the pairs of each device's last
    fix. `carried` are those of the pairs that continue the one before, whatever number it has.

    A pair may seem to follow the last fix of the device before. It does not matter: the one is of a past,
    which never is an ENTER, the other of a last fix, which never is an EXIT.
    """
    number, geofence = pairs & LOW, pairs >> 32
    follows = np.zeros(len(pairs) + 1, np.bool_)
    follows[1:-1] = pairs[1:] - pairs[:-1] == 1
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
