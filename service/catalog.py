"""Trackers, geofence collections, their links and their geofences, as people change them.

A change is committed here and comes into force at the next evaluating transaction, which catches up with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert

from geofence.geofence import Geofence
from geofence.geojson import feature_text
from ingest.identifiers import is_identifier
from service.errors import Conflict, NotFound, Refused
from service.live_geofences import LiveGeofences
from service.store import geofences as store
from service.store.database import Database
from service.store.schema import collection, tracker
from service.timestamps import now

DEFAULT = "default"
"""The tracker and the collection that exist and are linked from the start."""


class Put(NamedTuple):
    """How many geofences were created and how many replaced, and the revision from which they hold."""

    created: int
    updated: int
    revision: int


class GeofenceCatalog:
    """Raises NotFound, Conflict or Refused for what the caller got wrong, StoreAway where it cannot write."""

    def __init__(self, database: Database, live: LiveGeofences, fed: str = DEFAULT) -> None:
        """fed: the tracker that messages feed; it always exists, too."""
        self._database = database
        self._live = live
        self._fed = fed

    def put(self, collection_name: str, geofences: Sequence[Geofence]) -> Put:
        """Creates or replaces geofences by id, all in one commit."""
        with self._database.write() as connection:
            of_collection = store.collection_key(connection, collection_name)
            if not geofences:
                return Put(0, 0, store.newest_revision(connection))
            time = now()
            at_revision = store.new_revision(connection, "put", time)
            ids = [each.id for each in geofences]
            keys = store.current_keys(connection, of_collection, ids)
            new = [geofence_id for geofence_id in ids if geofence_id not in keys]
            if new:
                created = store.insert_geofences(connection, of_collection, new, at_revision, time)
                keys.update(zip(new, created, strict=True))
            features = [(keys[each.id], feature_text(each)) for each in geofences]
            store.insert_versions(connection, features, at_revision, time)
            self._live.expect(at_revision, {keys[each.id]: each for each in geofences})
        return Put(len(new), len(ids) - len(new), at_revision)

    def delete(self, collection_name: str, geofence_id: str) -> None:
        """Removes a geofence; devices inside it are so no longer, without an event."""
        with self._database.write() as connection:
            of_collection = store.collection_key(connection, collection_name)
            key = store.current_keys(connection, of_collection, [geofence_id]).get(geofence_id)
            if key is None:
                raise NotFound(f"geofence {geofence_id!r} does not exist in collection {collection_name!r}")
            time = now()
            store.delete_geofence(connection, key, store.new_revision(connection, "delete", time), time)

    def ensure_fed(self) -> None:
        """Creates the tracker that messages feed where there is none, linked to the collection `default`."""
        _check_name("tracker", self._fed)
        with self._database.read() as connection:
            exists = self._fed in store.tracker_names(connection).values()
        if not exists:
            self.create_tracker(self._fed)
            self.link(self._fed, DEFAULT)

    def create_tracker(self, name: str) -> None:
        _check_name("tracker", name)
        with self._database.write() as connection:
            if name in store.tracker_names(connection).values():
                raise Conflict(f"tracker {name!r} exists already")
            connection.execute(insert(tracker).values(name=name, created_time=now()))

    def create_collection(self, name: str) -> None:
        _check_name("collection", name)
        with self._database.write() as connection:
            if name in store.collection_names(connection).values():
                raise Conflict(f"geofence collection {name!r} exists already")
            connection.execute(insert(collection).values(name=name, created_time=now()))

    def delete_tracker(self, name: str) -> None:
        """Removes a tracker with all its devices, positions and events."""
        with self._database.write() as connection:
            key = store.tracker_key(connection, name)
            if name in (DEFAULT, self._fed):
                raise Conflict(f"tracker {name!r} always exists: delete its devices instead")
            store.new_revision(connection, "unlink", now())
            connection.execute(delete(tracker).where(tracker.c.key == key))

    def delete_collection(self, name: str) -> None:
        """Removes a collection with its geofences and the events of these."""
        with self._database.write() as connection:
            key = store.collection_key(connection, name)
            if name == DEFAULT:
                raise Conflict("collection 'default' always exists: delete its geofences instead")
            linked = [link.tracker_key for link in store.links(connection) if link.collection_key == key]
            if linked:
                names = store.tracker_names(connection)
                trackers = ", ".join(repr(names[each]) for each in linked)
                raise Conflict(f"collection {name!r} is linked to tracker {trackers}: unlink it first")
            store.new_revision(connection, "delete", now())
            connection.execute(delete(collection).where(collection.c.key == key))

    def link(self, tracker_name: str, collection_name: str) -> bool:
        """From now on the tracker's fixes are compared with the collection; answers whether that is new."""
        with self._database.write() as connection:
            of_tracker, to_collection, linked = _link(connection, tracker_name, collection_name)
            if not linked:
                at_revision = store.new_revision(connection, "link", now())
                store.insert_link(connection, of_tracker, to_collection, at_revision)
        return not linked

    def unlink(self, tracker_name: str, collection_name: str) -> None:
        """Ends a link, and the state that rested on it, without an event."""
        with self._database.write() as connection:
            of_tracker, to_collection, linked = _link(connection, tracker_name, collection_name)
            if not linked:
                raise NotFound(f"collection {collection_name!r} is not linked to tracker {tracker_name!r}")
            at_revision = store.new_revision(connection, "unlink", now())
            store.delete_link(connection, of_tracker, to_collection, at_revision)


def _link(connection: Connection, tracker_name: str, collection_name: str) -> tuple[int, int, bool]:
    of_tracker = store.tracker_key(connection, tracker_name)
    to_collection = store.collection_key(connection, collection_name)
    linked = any(link[:2] == (of_tracker, to_collection) for link in store.links(connection))
    return of_tracker, to_collection, linked


def _check_name(kind: str, name: str) -> None:
    if not is_identifier(name):
        raise Refused(f"{kind} name {name!r}: expected 1 to 100 letters, digits, '-', '.' or '_'")
