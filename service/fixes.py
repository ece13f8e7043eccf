"""Fixes on their way through the tracker, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.positions import PositionBatch


@dataclass(frozen=True, slots=True)
class Fixes:
    """DevicePositions of one tracker, all arrays of length n.

    slot: number of the device in the tracker's memory. sample_time, received_time: milliseconds since the
    epoch (UTC). longitude, latitude: degrees (WGS84). accuracy: metres, NaN unknown. properties: canonical
    JSON text.
    """

    slot: NDArray[np.int32]
    sample_time: NDArray[np.int64]
    received_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Fixes":
        return Fixes(
            self.slot[index],
            self.sample_time[index],
            self.received_time[index],
            self.longitude[index],
            self.latitude[index],
            self.accuracy[index],
            self.properties[index],
        )

    def lists(self) -> tuple[Sequence[object], ...]:
        """The columns after `slot` as Python values, an unknown accuracy as None: what a database takes."""
        accuracy = [None if value != value else value for value in self.accuracy.tolist()]  # noqa: PLR0124 - NaN
        return (
            self.sample_time.tolist(),
            self.received_time.tolist(),
            self.longitude.tolist(),
            self.latitude.tolist(),
            accuracy,
            self.properties.tolist(),
        )


def fixes_of(batch: PositionBatch, slot: NDArray[np.int32], received_time: int) -> Fixes:
    """The fixes of a batch that was received at one time."""
    return Fixes(
        slot,
        batch.sample_time,
        np.full(len(batch), received_time, np.int64),
        batch.longitude,
        batch.latitude,
        batch.accuracy,
        batch.properties,
    )
