"""The geofences of several collections: what events call each, one index a collection, all conditions."""

from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from geofence.fence_conditions import FenceConditions
from geofence.geofence import Geofence
from geofence.index import Containment, GeofenceIndex
from service.building_aside import in_a_daemon_thread
from service.crossing_rule import CrossingRule

C = TypeVar("C", int, str)
"""What names a collection."""


class GeofenceName(NamedTuple):
    """What events call a geofence."""

    collection: str
    geofence_id: str


class CollectionIndexes(Generic[C]):
    """Geofences under keys that are unique over all collections. `conditions` are those of all of them."""

    def __init__(self, *, unknown_altitude_inside: bool) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        self.conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self._indexes: dict[C, GeofenceIndex] = {}
        self._rules: dict[C, CrossingRule] = {}

    def put(self, collection: C, geofences: Mapping[int, Geofence]) -> None:
        """Geofences by key, new or in the place of those that have these keys."""
        self.conditions.put(geofences)
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
        self.conditions.discard(np.array(gone, np.int32))
        if collection in self._indexes:
            for key in gone:
                self._indexes[collection].discard(key)

    def containing(
        self, collections: Iterable[C], longitude: NDArray[np.float64], latitude: NDArray[np.float64]
    ) -> Containment:
        """All pairs of a position (degrees, length n) and a geofence of these whose area contains it."""
        return Containment.joined(
            [
                self._indexes[collection].containing(longitude, latitude)
                for collection in collections
                if collection in self._indexes
            ]
        )
