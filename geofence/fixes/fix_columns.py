"""What is evaluated of fixes, as columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FixColumns:
    """What is evaluated of n fixes, in any order.

    `device` is the slot in `device_ids` and in the state, `sample_time` in ms, `longitude` and `latitude` in
    degrees, `accuracy` in metres (NaN unknown). `altitudes` answers the altitudes (metres, NaN unknown) of
    fixes by number, and is asked only for those within the area of a volume, or where paths begin.
    `properties` answers what devices reported with fixes, by number too: texts of JSON objects in canonical
    form, '' where there are none. It is asked only where geofences ask for them.
    """

    device: NDArray[np.int32]
    device_ids: Sequence[str]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    altitudes: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    properties: Callable[[NDArray[np.int64]], Iterable[str]]

    def __len__(self) -> int:
        return len(self.device)
