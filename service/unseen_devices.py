"""Devices that are compared with a collection alone, and were not seen for long: what is known of them ends.

Amazon Location keeps what a device was last inside of for 30 days after its most recent position:
https://docs.aws.amazon.com/location/latest/APIReference/API_WaypointGeofencing_BatchEvaluateGeofences.html
"""

from typing import Final

import numpy as np
from sqlalchemy import Connection

from geofence.state.visit_records import NEVER
from service.fixes import Fixes
from service.intake import DAY
from service.store.devices import leave_all
from service.tracked_devices import TrackedDevices

KNOWN_FOR: Final = 30 * DAY
"""Milliseconds of sample_time from one position of a device to the next."""


def end_long_unseen(connection: Connection, devices: TrackedDevices, fixes: Fixes) -> None:
    """Devices of which these fixes come so late are inside of nothing, without an event, before they come."""
    slots, place = np.unique(fixes.slot, return_inverse=True)
    watermark = devices.state.watermark[slots]
    later = fixes.sample_time > watermark[place]
    first = np.full(len(slots), np.iinfo(np.int64).max)
    np.minimum.at(first, place[later], fixes.sample_time[later])
    come = (watermark != NEVER) & (first < np.iinfo(np.int64).max)
    unseen = np.flatnonzero(come)[first[come] - watermark[come] > KNOWN_FOR]
    for slot in slots[unseen].tolist():
        devices.state.clear_device(slot)
    devices.state.set_watermark(slots[unseen], watermark[unseen])
    leave_all(connection, devices.key[slots[unseen]].tolist())
