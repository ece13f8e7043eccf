"""The geofences of collections as forecasts search them, kept up with the database's revisions.

Made at the first forecast of a collection, which takes as long as its geofences take to be read; later ones
read what has changed.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.forecasting.surroundings import Surroundings
from geofence.geofence import Geofence
from geofence.reading.geojson import read_accepted_geofence
from geofence.schedules.schedule import Schedule
from service.store.geofences import changes_since
from service.store.revisions import newest_revision

MOST_COLLECTIONS: Final = 16
"""Kept at once; those that were asked for last."""


class Known(NamedTuple):
    """What is told of a geofence."""

    geofence_id: str
    properties: dict[str, object]


class CollectionSurroundings:
    """Of one collection; for one thread at a time. `known`: by key."""

    def __init__(self, collection_key: int) -> None:
        self.lock = threading.Lock()
        self.search = Surroundings({})
        self.known: dict[int, Known] = {}
        self._collection_key = collection_key
        self._revision = 0
        self._schedules: dict[int, Schedule] = {}

    def closed(self, time: int) -> NDArray[np.int32]:
        """Keys of geofences of whose schedule no window is open at this time (ms)."""
        at = np.array([time], np.int64)
        found = [key for key, schedule in self._schedules.items() if not schedule.live(at)[0]]
        return np.array(sorted(found), np.int32)

    def catch_up(self, connection: Connection) -> None:
        newest = newest_revision(connection)
        if newest == self._revision:
            return
        fresh: dict[int, Geofence] = {}
        for change in changes_since(connection, self._revision, self._collection_key):
            self._schedules.pop(change.key, None)
            if change.feature is None:
                self.known.pop(change.key, None)
                self.search.discard(change.key)
                continue
            geofence = read_accepted_geofence(change.feature.encode(), change.geofence_id)
            fresh[change.key] = geofence
            self.known[change.key] = Known(change.geofence_id, geofence.properties)
            if geofence.conditions.schedule is not None:
                self._schedules[change.key] = Schedule(geofence.conditions.schedule)
        self.search.put(fresh)
        self._revision = newest


class AllSurroundings:
    """Of the collections that were asked for last; called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, CollectionSurroundings] = OrderedDict()

    @contextmanager
    def of(self, connection: Connection, collection_key: int) -> Iterator[CollectionSurroundings]:
        """A collection's, as it is now, alone with it."""
        with self._lock:
            made = self._kept.setdefault(collection_key, CollectionSurroundings(collection_key))
            self._kept.move_to_end(collection_key)
            if len(self._kept) > MOST_COLLECTIONS:
                self._kept.popitem(last=False)
        with made.lock:
            made.catch_up(connection)
            yield made
