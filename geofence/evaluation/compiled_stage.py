"""The evaluator's first stage in the compiled kernel: numbers of fixes, and changes at them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.containment import Containment
from geofence.fixes.numbered_fixes import NumberedFixes
from geofence.kernels import Library
from geofence.state.inside_state import InsideState


class ChangesAtFixes(NamedTuple):
    """m changes: number of the fix, geofence, 1 for entering and 0 for leaving; by number, kind, geofence.

    `changed` are the devices that have some, ascending, `inside_device` and `inside_geofence` what these are
    inside of afterwards, by device, then geofence.
    """

    number: NDArray[np.int64]
    geofence: NDArray[np.int32]
    kind: NDArray[np.int8]
    changed: NDArray[np.int32]
    inside_device: NDArray[np.int32]
    inside_geofence: NDArray[np.int32]


def numbered(
    library: Library, device: NDArray[np.int32], sample_time: NDArray[np.int64], state: InsideState
) -> NumberedFixes:
    """The numbers of n fixes, in any order."""
    late, number, fix, past, devices = library.numbered_fixes(
        np.ascontiguousarray(device), np.ascontiguousarray(sample_time), state.watermark
    )
    return NumberedFixes(
        np.frombuffer(late, np.bool_),
        np.frombuffer(number, np.int64),
        np.frombuffer(fix, np.int64),
        np.frombuffer(past, np.int64),
        np.frombuffer(devices, np.int32),
    )


def changes(
    library: Library, numbers: NumberedFixes, containment: Containment, state: InsideState
) -> ChangesAtFixes:
    """The changes at these fixes, each of which counts for all geofences."""
    number, geofence, kind, changed, holder, held = library.changes_at_fixes(
        numbers.late,
        numbers.fix,
        numbers.past,
        numbers.devices,
        np.ascontiguousarray(containment.position),
        np.ascontiguousarray(containment.geofence),
        *state.columns(numbers.devices),
    )
    return ChangesAtFixes(
        np.frombuffer(number, np.int64),
        np.frombuffer(geofence, np.int32),
        np.frombuffer(kind, np.int8),
        np.frombuffer(changed, np.int32),
        np.frombuffer(holder, np.int32),
        np.frombuffer(held, np.int32),
    )
