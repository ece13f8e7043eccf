"""Evaluation of fixes under the conditions of many geofences; without conditions it costs nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.rows import ConditionRows
from geofence.containment import Containment
from geofence.evaluation.between_fixes import BetweenFixes
from geofence.evaluation.evaluator import evaluate
from geofence.evaluation.watched import Watched, distances
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from geofence.visits.rules import VisitRules
from geofence.visits.visits import Visits


class FenceConditions:
    """Of geofences under the keys of their index, those that have conditions.

    `unknown_altitude_inside`: whether a fix without altitude is within every band rather than within none.
    """

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self._rows = ConditionRows(unknown_altitude_inside=unknown_altitude_inside)
        self._rules = VisitRules.of({})

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, geofences: Mapping[int, Geofence]) -> None:
        """Geofences that are new, or in the place of those that have these keys."""
        conditions = {key: geofence.conditions for key, geofence in geofences.items()}
        self._rows.put(conditions)
        self._rules = self._rules.put(conditions)

    def discard(self, keys: NDArray[np.integer]) -> None:
        """Forget geofences; one that is not there is no error."""
        self._rows.discard(keys)
        self._rules = self._rules.discard(keys)

    def evaluate(
        self,
        fixes: FixColumns,
        containment: Containment,
        state: InsideState,
        watched: Sequence[Watched] = (),
    ) -> Evaluation:
        """As `evaluator.evaluate`.

        `containment` is by place alone, of the geofences of all `watched`. These are asked for distances and
        paths: a geofence that is in none of them is far from everywhere, and crossed at fixes.
        """
        paths = visits = poor = None
        if any(each.joining is not None for each in watched):
            paths = BetweenFixes(watched, self._rows, fixes, containment, state)
        if len(self._rules) or len(state.visits):
            visits = Visits(self._rules, distances(watched))
        if len(self._rows):
            containment, poor = self._rows.met(fixes, containment), self._rows.poor(fixes.accuracy)
        return evaluate(fixes, containment, state, poor, paths, visits)
