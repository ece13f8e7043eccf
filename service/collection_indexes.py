"""The geofences of several collections, and the one way in which fixes are evaluated under them."""

from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from geofence.containment import Containment
from geofence.evaluation.fence_conditions import FenceConditions
from geofence.evaluation.watched import Joining, Watched
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from service.building_aside import in_a_daemon_thread
from service.crossing_rule import DEFAULT_RULE, SEGMENT, CrossingRule

C = TypeVar("C", int, str)
"""What names a collection."""


class GeofenceName(NamedTuple):
    """What events call a geofence."""

    collection: str
    geofence_id: str


class CollectionIndexes(Generic[C]):
    """Geofences under keys that are unique over all collections: an index and a rule for each of these, the
    conditions of all together."""

    def __init__(self, *, unknown_altitude_inside: bool) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        self._conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self._indexes: dict[C, GeofenceIndex] = {}
        self._rules: dict[C, CrossingRule] = {}

    def put(self, collection: C, geofences: Mapping[int, Geofence]) -> None:
        """Geofences by key, new or in the place of those that have these keys."""
        self._conditions.put(geofences)
        index = self._indexes.get(collection)
        if index is None:
            self._indexes[collection] = GeofenceIndex(geofences, in_a_daemon_thread)
            return
        for key, geofence in geofences.items():
            index.put(key, geofence)

    def cross(self, collection: C, rule: CrossingRule) -> None:
        """Have the collection's geofences crossed so from now on."""
        self._rules[collection] = rule

    def discard(self, collection: C, keys: Iterable[int]) -> None:
        """Forget geofences of a collection; one that is not there is no error."""
        gone = list(keys)
        self._conditions.discard(np.array(gone, np.int32))
        if collection in self._indexes:
            for key in gone:
                self._indexes[collection].discard(key)

    def evaluate(self, collections: Iterable[C], fixes: FixColumns, state: InsideState) -> Evaluation:
        """What fixes mean after `state`, which is not changed, under the geofences of these collections."""
        watched = [
            Watched(self._indexes[collection], _joining(self._rules.get(collection, DEFAULT_RULE)))
            for collection in collections
            if collection in self._indexes
        ]
        containment = Containment.joined(
            [each.index.containing(fixes.longitude, fixes.latitude) for each in watched]
        )
        return self._conditions.evaluate(fixes, containment, state, watched)


def _joining(rule: CrossingRule) -> Joining | None:
    return Joining(rule.max_gap, rule.max_speed) if rule.crossing == SEGMENT else None
