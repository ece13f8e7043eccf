"""Evaluation of fixes under the conditions of many geofences; without conditions it costs nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geofence.condition_rows import ConditionRows
from geofence.evaluator import Evaluation, evaluate
from geofence.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index import Containment
from geofence.state import InsideState
from geofence.watched import Watched


class FenceConditions:
    """Of geofences under the keys of their index, those that have conditions.

    `unknown_altitude_inside`: whether a fix without altitude is within every band rather than within none.
    """

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self._rows = ConditionRows(unknown_altitude_inside=unknown_altitude_inside)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, geofences: Mapping[int, Geofence]) -> None:
        """Geofences that are new, or in the place of those that have these keys."""
        self._rows.put({key: geofence.conditions for key, geofence in geofences.items()})

    def discard(self, keys: NDArray[np.integer]) -> None:
        """Forget geofences; one that is not there is no error."""
        self._rows.discard(keys)

    def evaluate(
        self,
        fixes: FixColumns,
        containment: Containment,
        state: InsideState,
        watched: Sequence[Watched] = (),
    ) -> Evaluation:
        """As `evaluator.evaluate`.

        `containment` is by place alone, of the geofences of all `watched`. These are asked for distances and
        paths; where there are none, geofences cannot ask for `exit_after_metres` and only fixes count.
        """
        if not len(self):
            return evaluate(fixes, containment, state)
        met = self._rows.met(fixes, containment)
        return evaluate(fixes, met, state, self._rows.poor(fixes.accuracy))
