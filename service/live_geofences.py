"""The geofences in force, in memory, kept up with the database's revisions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.reading.geojson import read_accepted_geofence
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from service.collection_indexes import CollectionIndexes, GeofenceName
from service.store.geofences import changes_since
from service.store.links import Link, links
from service.store.reading.collections import CollectionRow, all_collections
from service.store.revisions import newest_revision


class Ended(NamedTuple):
    """State that ends without an event: of these geofences, or of one tracker's with a collection's."""

    tracker_key: int | None  # None: of every tracker
    geofences: NDArray[np.int32]


class LiveGeofences:
    """`revision`: the newest that is in force here. `names`: geofence key -> what events call it."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        self.revision = 0
        self.names: dict[int, GeofenceName] = {}
        self._indexes = CollectionIndexes[int](unknown_altitude_inside=unknown_altitude_inside)
        self._members: dict[int, set[int]] = {}
        self._links: set[Link] = set()
        self._read: dict[tuple[int, int], Geofence] = {}

    def expect(self, revision: int, geofences: dict[int, Geofence]) -> None:
        """Geofences about to be committed at a revision need not be read from their text again."""
        self._read.update(((key, revision), geofence) for key, geofence in geofences.items())

    def catch_up(self, connection: Connection) -> list[Ended]:
        """Brings into force what was committed since; answers which state has ended by it."""
        newest = newest_revision(connection)
        if newest == self.revision:
            return []
        rows = all_collections(connection)
        for row in rows:
            self._indexes.cross(row.key, row.rule)
        ended = self._catch_up_with_geofences(connection, rows) + self._catch_up_with_links(connection)
        self.revision = newest
        self._read.clear()
        return ended

    def evaluate(self, tracker_key: int, fixes: FixColumns, state: InsideState) -> Evaluation:
        """What fixes of a tracker mean after `state`, which is not changed, under what it watches."""
        watched = [link.collection_key for link in sorted(self._links) if link.tracker_key == tracker_key]
        return self._indexes.evaluate(watched, fixes, state)

    def _catch_up_with_geofences(self, connection: Connection, rows: Sequence[CollectionRow]) -> list[Ended]:
        collections = {row.key: row.name for row in rows}
        gone = [key for key, members in self._members.items() if key not in collections for key in members]
        fresh: dict[int, dict[int, Geofence]] = {}
        for change in changes_since(connection, self.revision):
            if change.feature is None:
                gone.append(change.key)
                continue
            geofence = self._read.get((change.key, change.revision))
            if geofence is None:
                geofence = read_accepted_geofence(change.feature.encode(), change.geofence_id)
            fresh.setdefault(change.collection_key, {})[change.key] = geofence
            self.names[change.key] = GeofenceName(collections[change.collection_key], change.geofence_id)
        for collection, geofences in fresh.items():
            self._members.setdefault(collection, set()).update(geofences)
            self._indexes.put(collection, geofences)
        gone = [key for key in gone if key in self.names]
        if not gone:
            return []
        for collection, members in self._members.items():
            discarded = members.intersection(gone)
            members.difference_update(discarded)
            self._indexes.discard(collection, discarded)
        for key in gone:
            del self.names[key]
        return [Ended(None, np.array(gone, np.int32))]

    def _catch_up_with_links(self, connection: Connection) -> list[Ended]:
        now = set(links(connection))
        ended = [
            Ended(link.tracker_key, np.array(sorted(self._members.get(link.collection_key, ())), np.int32))
            for link in self._links - now
        ]
        self._links = now
        return ended
