"""The geofences that a tracker watched, brought from revision to revision."""

from collections.abc import Iterable, Mapping

import numpy as np

from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from service.collection_indexes import CollectionIndexes, GeofenceName
from service.rewinding.fixes import RewoundFixes
from service.rewinding.revisions import Change, CollectionChange, GeofenceChange, LinkChange


class PastGeofences:
    """The geofences of the collections that one tracker watched.

    `names`: of every geofence that has been in force, by its key; one that is put after a delete is another.
    """

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        self.names: dict[int, GeofenceName] = {}
        self._keys: dict[GeofenceName, int] = {}
        self._indexes = CollectionIndexes[str](unknown_altitude_inside=unknown_altitude_inside)
        self._watched: set[str] = set()

    def move(self, changes: Iterable[Change], state: InsideState) -> None:
        """Brings these changes, by revision, into force; ends the state that rested on what they ended."""
        fresh: dict[str, dict[int, Geofence]] = {}
        ended: list[int] = []
        for change in changes:
            if isinstance(change, LinkChange):
                ended += self._link(change)
            elif isinstance(change, CollectionChange):
                self._indexes.cross(change.collection, change.rule)
            elif change.geofence is None:
                ended += self._delete(change, fresh)
            else:
                fresh.setdefault(change.collection, {})[self._key(change)] = change.geofence
        for collection, geofences in fresh.items():
            self._indexes.put(collection, geofences)
        if ended:
            state.discard_geofences(np.array(ended, np.int32))

    def evaluate(self, fixes: RewoundFixes, state: InsideState) -> Evaluation:
        """What these fixes mean after `state`, which is not changed."""
        columns = FixColumns(
            fixes.device,
            fixes.device_ids,
            fixes.sample_time,
            fixes.longitude,
            fixes.latitude,
            fixes.accuracy,
            lambda at: fixes.altitude[at],
            lambda at: fixes.properties[at],
        )
        return self._indexes.evaluate(self._watched, columns, state)

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
        self._indexes.discard(change.collection, [key])
        return [key]

    def _key(self, change: GeofenceChange) -> int:
        name = GeofenceName(change.collection, change.geofence_id)
        if name not in self._keys:
            self._keys[name] = key = len(self.names) + 1
            self.names[key] = name
        return self._keys[name]
