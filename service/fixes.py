"""Fixes on their way through the tracker, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.positions import PositionBatch


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
        return Fixes(*(getattr(self, column.name)[index] for column in fields(self)))

    def columns(self) -> dict[str, list[object]]:
        """FIX_COLUMNS as Python values, an unknown accuracy as None: what a database takes."""
        lists = {name: getattr(self, name).tolist() for name in FIX_COLUMNS}
        lists["accuracy"] = [None if value != value else value for value in lists["accuracy"]]  # noqa: PLR0124 - NaN
        return lists

    def rows(self) -> list[dict[str, object]]:
        """`columns` by fix: the members of FIX_COLUMNS of each."""
        columns = self.columns().values()
        return [dict(zip(FIX_COLUMNS, values, strict=True)) for values in zip(*columns, strict=True)]


FIX_COLUMNS = tuple(column.name for column in fields(Fixes) if column.name != "slot")
"""What a fix is, wherever it is kept: columns of position, of device (its latest) and of event, too."""


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


def fixes_kept(slot: NDArray[np.int32], columns: Sequence[Sequence[object]]) -> Fixes:
    """The fixes that a database has kept; columns: FIX_COLUMNS, as `columns` gives them."""
    sample_time, received_time, longitude, latitude, accuracy, properties = columns
    return Fixes(
        slot,
        np.array(sample_time, np.int64),
        np.array(received_time, np.int64),
        np.array(longitude, np.float64),
        np.array(latitude, np.float64),
        np.array(accuracy, np.float64),  # None becomes NaN
        np.array(properties, np.object_),
    )
