"""What fixes meant: the events, and what the state is to remember."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.last_fixes import LastFixes
from geofence.state.visit_records import VisitRecords


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What n fixes meant. `InsideState.apply` makes it so.

    `late` (n) marks fixes that are not evaluated: at or before their device's watermark, or not the first
    of their device and sample_time.

    The events (m), by device, time, fix, share, kind, geofence: `position` is the number of the fix at which
    it was found, `device` its slot, `geofence` a key, `kind` an index into `EVENT_TYPES`. `time` (ms) and
    `longitude`, `latitude` (degrees) are the fix's, unless it is `interpolated`; `share` says how far along
    the path into the fix it was, 1 at the fix. `ordinal` counts those equal in device, geofence, kind and
    time, from 0.

    `devices` and `watermarks` (k) are the devices evaluated, ascending, with the sample_time (ms) of their
    last fix; `last_fixes` (k) these fixes, None where they are not remembered. `changed` are those devices
    whose inside sets may be others than before; `inside_device` and `inside_geofence` are what these are
    inside of afterwards, by device. `records` are those of visits that are new or other than before.
    """

    late: NDArray[np.bool_]
    position: NDArray[np.int64]
    device: NDArray[np.int32]
    geofence: NDArray[np.int32]
    kind: NDArray[np.int8]
    time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    interpolated: NDArray[np.bool_]
    share: NDArray[np.float64]
    ordinal: NDArray[np.int32]
    devices: NDArray[np.int32]
    watermarks: NDArray[np.int64]
    last_fixes: LastFixes | None
    changed: NDArray[np.int32]
    inside_device: NDArray[np.int32]
    inside_geofence: NDArray[np.int32]
    records: VisitRecords
