"""The geofences that a tracker watched, brought from revision to revision."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from geofence.evaluator import Evaluation
from geofence.fence_conditions import FenceConditions, FixColumns
from geofence.geofence import Geofence
from geofence.index import Containment, GeofenceIndex
from geofence.state import InsideState
from service.building_aside import in_a_daemon_thread
from service.rewinding.fixes import RewoundFixes
from service.rewinding.revisions import Change, GeofenceChange, LinkChange


class GeofenceName(NamedTuple):
    """What events call a geofence."""

    collection: str
    geofence_id: str


class PastGeofences:
    """The geofences of the collections that one tracker watched.

    `names`: of every geofence that has been in force, by its key; one that is put after a delete is another.
    """

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        self.names: dict[int, GeofenceName] = {}
        self._conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self._keys: dict[GeofenceName, int] = {}
        self._indexes: dict[str, GeofenceIndex] = {}
        self._watched: set[str] = set()

    def move(self, changes: Iterable[Change], state: InsideState) -> None:
        """Brings these changes, by revision, into force; ends the state that rested on what they ended."""
        fresh: dict[str, dict[int, Geofence]] = {}
        ended: list[int] = []
        for change in changes:
            if isinstance(change, LinkChange):
                ended += self._link(change)
            elif change.geofence is None:
                ended += self._delete(change, fresh)
            else:
                fresh.setdefault(change.collection, {})[self._key(change)] = change.geofence
        for collection, geofences in fresh.items():
            self._put(collection, geofences)
        if ended:
            state.discard_geofences(np.array(ended, np.int32))

    def evaluate(self, fixes: RewoundFixes, state: InsideState) -> Evaluation:
        """What these fixes mean after `state`, which is not changed."""
        found = [
            self._indexes[collection].containing(fixes.longitude, fixes.latitude)
            for collection in self._watched
            if collection in self._indexes
        ]
        columns = FixColumns(
            fixes.device, fixes.device_ids, fixes.sample_time, fixes.accuracy, lambda at: fixes.altitude[at]
        )
        return self._conditions.evaluate(columns, Containment.joined(found), state)

    def _link(self, change: LinkChange) -> list[int]:
        """Makes or ends a link; answers the keys of the geofences whose state has ended."""
        if change.linked:
            self._watched.add(change.collection)
            return []
        self._watched.discard(change.collection)
        return [key for name, key in self._keys.items() if name.collection == change.collection]

    def _delete(self, change: GeofenceChange, fresh: Mapping[str, dict[int, Geofence]]) -> list[int]:
        """Discards a geofence, also where it is among those still to be put; answers its key."""
        key = self._keys.pop(GeofenceName(change.collection, change.geofence_id), None)
        if key is None:
            return []
        fresh.get(change.collection, {}).pop(key, None)
        self._conditions.discard(np.array([key]))
        if change.collection in self._indexes:
            self._indexes[change.collection].discard(key)
        return [key]

    def _key(self, change: GeofenceChange) -> int:
        name = GeofenceName(change.collection, change.geofence_id)
        if name not in self._keys:
            self._keys[name] = key = len(self.names) + 1
            self.names[key] = name
        return self._keys[name]

    def _put(self, collection: str, geofences: Mapping[int, Geofence]) -> None:
        self._conditions.put(geofences)
        index = self._indexes.get(collection)
        if index is None:
            self._indexes[collection] = GeofenceIndex(geofences, in_a_daemon_thread)
            return
        for key, geofence in geofences.items():
            index.put(key, geofence)
