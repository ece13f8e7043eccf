"""The geofences under which fixes are evaluated: one index or more, and how each is crossed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.index.geofence_index import GeofenceIndex
from geofence.visits.stretches import Column, Distances


@dataclass(frozen=True, slots=True)
class Joining:
    """Which fixes of a device, one after the other, are joined by a straight path.

    Those with no more than `max_gap` (ms) between them, and no more than `max_speed` (metres per second).
    """

    max_gap: int = 300_000
    max_speed: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Watched:
    """Geofences under keys that are unique over all that are watched together.

    `joining` says how they are crossed between fixes; None if only fixes count.
    """

    index: GeofenceIndex
    joining: Joining | None = None


def distances(watched: Sequence[Watched]) -> Distances:
    """How far positions are from geofences that are watched."""

    def found(geofence: NDArray[np.int32], longitude: Column, latitude: Column, limit: Column) -> Column:
        metres = np.full(len(geofence), np.inf)
        for each in watched:
            of = np.flatnonzero([key in each.index for key in geofence.tolist()])
            metres[of] = each.index.distances(geofence[of], longitude[of], latitude[of], limit[of])
        return metres

    return found
