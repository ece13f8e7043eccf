"""Changes: where devices come into and go out of geofences; and events, which are what is told of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.fixes.fix_columns import FixColumns
from geofence.fixes.numbered_fixes import NumberedFixes


@dataclass(frozen=True, slots=True)
class Changes(Table):
    """m changes, or events.

    `number` is that of the fix at which it was found (see `NumberedFixes`), `geofence` a key, `kind` an index
    into `EVENT_TYPES`; a change is an EXIT or an ENTER. `share` says how far along the path into the fix it
    was, 1 for what happened at the fix itself. `time` in ms, `longitude` and `latitude` in degrees are its
    own, those of the fix unless it is `interpolated`.
    """

    number: NDArray[np.int64]
    geofence: NDArray[np.int32]
    kind: NDArray[np.int8]
    share: NDArray[np.float64]
    time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    interpolated: NDArray[np.bool_]

    @classmethod
    def at_fixes(
        cls,
        number: NDArray[np.int64],
        geofence: NDArray[np.int32],
        kind: NDArray[np.int8],
        fixes: FixColumns,
        numbers: NumberedFixes,
    ) -> Self:
        """What happened at the fixes of these numbers."""
        fix = numbers.fix[number]
        return cls(
            number,
            geofence,
            kind,
            np.ones(len(number)),
            fixes.sample_time[fix],
            fixes.longitude[fix],
            fixes.latitude[fix],
            np.zeros(len(number), np.bool_),
        )

    def in_order(self) -> Self:
        """By number (which is device, then sample_time), share, kind, geofence."""
        return self.take(np.lexsort((self.geofence, self.kind, self.share, self.number)))

    def ordinals(self) -> NDArray[np.int32]:
        """Of each, in order, how many before it agree in device, geofence, kind and time."""
        ordinals = np.zeros(len(self), np.int32)
        if not self.interpolated.any():
            return ordinals  # at one fix a geofence has no two of a kind
        order = np.lexsort((self.kind, self.geofence, self.number))  # and time, which share follows
        columns = (self.number, self.geofence, self.kind, self.time)
        differs = np.ones(len(self), np.bool_)
        differs[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in columns], axis=0)
        place = np.arange(len(self))
        ordinals[order] = place - np.maximum.accumulate(np.where(differs, place, 0))
        return ordinals
