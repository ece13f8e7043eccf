"""Positions of many devices as columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table


@dataclass(frozen=True, slots=True)
class PositionBatch(Table):
    """Positions of many devices as columns, in the order in which they arrived.

    All arrays have length n. `device_id` holds str. `sample_time` is in milliseconds since the epoch (UTC).
    `longitude` and `latitude` are in degrees (WGS84). `altitude` (above mean sea level) and `accuracy` are in
    metres, NaN where unknown. `properties` holds the text of a JSON object in canonical form (members sorted
    by name, no spaces), or '' where a fix has none; an altitude is among them too.
    """

    device_id: NDArray[np.object_]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]

    @classmethod
    def empty(cls) -> Self:
        """No positions at all."""
        return cls(
            device_id=np.empty(0, np.object_),
            sample_time=np.empty(0, np.int64),
            longitude=np.empty(0),
            latitude=np.empty(0),
            altitude=np.empty(0),
            accuracy=np.empty(0),
            properties=np.empty(0, np.object_),
        )
