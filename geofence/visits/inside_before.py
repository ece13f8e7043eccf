"""What devices were inside of before the fixes that are evaluated."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, VisitRecords, pairs_of


@dataclass(frozen=True, slots=True)
class InsideBefore:
    """n pairs: `place` says which of the devices evaluated, `geofence` is a key.

    `remembered` says which have a record of the visit; the `records` of the others mean nothing.
    """

    place: NDArray[np.intp]
    geofence: NDArray[np.int32]
    remembered: NDArray[np.bool_]
    records: VisitRecords

    @classmethod
    def of(cls, devices: NDArray[np.int32], state: InsideState) -> Self:
        """All that these devices were inside of, as was told."""
        place, geofence = state.pairs(devices)
        records, remembered = state.visits.of(pairs_of(devices[place], geofence))
        return cls(place, geofence, remembered, records)

    @property
    def in_area(self) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Place and geofence, where the device has not gone out of the area, be that no EXIT yet."""
        within = ~self.remembered | (self.records.outside_since == NEVER)
        return self.place[within], self.geofence[within]

    def take(self, index: NDArray[np.intp]) -> Self:
        """The pairs at `index`."""
        return type(self)(
            self.place[index], self.geofence[index], self.remembered[index], self.records.take(index)
        )
