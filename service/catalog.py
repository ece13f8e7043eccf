"""Trackers, geofence collections, their links and their geofences, as people change them.

A change is committed here and comes into force at the next evaluating transaction, which catches up with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, Unpack

from sqlalchemy import Connection

from geofence.geofence import Geofence
from geofence.reading.geojson import feature_text
from ingest.identifiers import is_identifier
from service.crossing_rule import DEFAULT_RULE, Change, CrossingRule
from service.errors import Conflict, NotFound, Refused, TooMany
from service.filtering.passing import FILTERINGS, UNSTORED
from service.live_geofences import LiveGeofences
from service.store.areas import put_areas
from service.store.collections import (
    CollectionValues,
    delete_collection,
    insert_collection,
    insert_collection_version,
    update_collection,
)
from service.store.database import Database
from service.store.geofences import (
    Times,
    Version,
    current_keys,
    delete_geofence,
    geofence_times,
    insert_geofences,
    insert_versions,
)
from service.store.links import delete_link, insert_link, links
from service.store.reading.collections import collection_named, collection_names
from service.store.reading.geofences import count_geofences
from service.store.reading.trackers import (
    has_tracker,
    name_in_collection,
    peoples_tracker_names,
    tracker_named,
    tracker_names,
)
from service.store.revisions import new_revision, newest_revision
from service.store.shards import hold_commits, tell_erased
from service.store.trackers import TrackerValues, delete_tracker, insert_tracker, update_tracker
from service.store.turns import Turn, wait_for_turn
from service.timestamps import now

DEFAULT = "default"
"""The tracker and the collection that exist and are linked from the start."""


TagChange = Callable[[Mapping[str, str]], Mapping[str, str]]
NOTHING: Mapping[str, str] = MappingProxyType({})


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

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        """A transaction in which nobody else changes what is read before it is changed."""
        with self._database.write() as connection:
            wait_for_turn(connection, Turn.REVISIONS)
            yield connection

    def put(
        self, collection_name: str, geofences: Sequence[Geofence], given: Mapping[str, str] = NOTHING
    ) -> Put:
        """Creates or replaces geofences by id, all in one commit.

        given: geofence id -> its geometry as it was given, where the geofence's own does not say it just so.
        """
        with self._changing() as connection:
            return self._put(connection, collection_name, geofences, given)

    def put_few(
        self, collection_name: str, geofences: Sequence[Geofence], given: Mapping[str, str], most: int
    ) -> dict[str, Times]:
        """The same; answers since when each of them is there, by id.

        Raises TooMany where the collection would have more than `most`.
        """
        with self._changing() as connection:
            put = self._put(connection, collection_name, geofences, given)
            of_collection = collection_named(connection, collection_name).key
            if put.created and count_geofences(connection, of_collection) > most:
                raise TooMany(f"collection {collection_name!r} has {most:,} geofences already, which is all")
            keys = current_keys(connection, of_collection, [each.id for each in geofences])
            return geofence_times(connection, keys)

    def _put(
        self,
        connection: Connection,
        collection_name: str,
        geofences: Sequence[Geofence],
        given: Mapping[str, str],
    ) -> Put:
        of_collection = collection_named(connection, collection_name).key
        if not geofences:
            return Put(0, 0, newest_revision(connection))
        time = now()
        at_revision = new_revision(connection, "put", time)
        ids = [each.id for each in geofences]
        keys = current_keys(connection, of_collection, ids)
        new = [geofence_id for geofence_id in ids if geofence_id not in keys]
        if new:
            created = insert_geofences(connection, of_collection, new, at_revision, time)
            keys.update(zip(new, created, strict=True))
        versions = [Version(keys[each.id], feature_text(each), given.get(each.id)) for each in geofences]
        insert_versions(connection, versions, at_revision, time)
        by_key = {keys[each.id]: each for each in geofences}
        put_areas(connection, by_key)
        self._live.expect(at_revision, by_key)
        return Put(len(new), len(ids) - len(new), at_revision)

    def delete(self, collection_name: str, geofence_id: str) -> None:
        """Removes a geofence; devices inside it are so no longer, without an event."""
        if self.delete_those(collection_name, [geofence_id]):
            raise NotFound(f"geofence {geofence_id!r} does not exist in collection {collection_name!r}")

    def delete_those(self, collection_name: str, ids: Sequence[str]) -> set[str]:
        """The same of several, in one commit; answers which of them were not there."""
        with self._changing() as connection:
            of_collection = collection_named(connection, collection_name).key
            keys = current_keys(connection, of_collection, ids)
            if keys:
                time = now()
                at_revision = new_revision(connection, "delete", time)
                for key in keys.values():
                    delete_geofence(connection, key, at_revision, time)
        return set(ids) - keys.keys()

    def ensure_fed(self) -> None:
        """Creates the tracker that messages feed where there is none, linked to the collection `default`."""
        _check_name("tracker", self._fed)
        with self._database.read() as connection:
            exists = has_tracker(connection, self._fed)
        if not exists:
            self.create_tracker(self._fed)
            self.link(self._fed, DEFAULT)

    def create_tracker(self, name: str, most: int | None = None, **values: Unpack[TrackerValues]) -> None:
        """most: how many trackers there may be; None: any number."""
        _check_name("tracker", name)
        _check_filtering(values)
        with self._changing() as connection:
            names = peoples_tracker_names(connection).values()
            if name in names:
                raise Conflict(f"tracker {name!r} exists already")
            _check_number("trackers", len(names), most)
            insert_tracker(connection, name, now(), values)

    def tracker_in_collection(self, collection_name: str) -> str:
        """The name of the tracker that is a part of a collection, created where there is none yet.

        Its devices are compared with this collection alone; their fixes are not stored beyond that.
        """
        with self._database.read() as connection:
            name = name_in_collection(collection_named(connection, collection_name).key)
            if has_tracker(connection, name):
                return name
        with self._changing() as connection:
            of_collection = collection_named(connection, collection_name).key
            name = name_in_collection(of_collection)
            if not has_tracker(connection, name):
                time = now()
                unstored: TrackerValues = {"position_filtering": UNSTORED}
                key = insert_tracker(connection, name, time, unstored, of_collection)
                insert_link(connection, key, of_collection, new_revision(connection, "link", time))
        return name

    def update_tracker(self, name: str, **values: Unpack[TrackerValues]) -> None:
        """From the next commit on; what is not named stays as it is."""
        _check_filtering(values)
        with self._changing() as connection:
            key = tracker_named(connection, name).key
            update_tracker(connection, key, now(), values)

    def create_collection(
        self,
        name: str,
        rule: CrossingRule = DEFAULT_RULE,
        most: int | None = None,
        **values: Unpack[CollectionValues],
    ) -> None:
        """most: how many collections there may be; None: any number."""
        _check_name("collection", name)
        with self._changing() as connection:
            names = collection_names(connection).values()
            if name in names:
                raise Conflict(f"geofence collection {name!r} exists already")
            _check_number("geofence collections", len(names), most)
            time = now()
            key = insert_collection(connection, name, time, values)
            if rule != DEFAULT_RULE:
                insert_collection_version(connection, key, rule, new_revision(connection, "collection", time))

    def update_collection(
        self, name: str, change: Change | None = None, **values: Unpack[CollectionValues]
    ) -> None:
        """Its geofences are crossed so from the next evaluating transaction on.

        What is not named stays as it is.
        """
        with self._changing() as connection:
            of_collection = collection_named(connection, name)
            rule = of_collection.rule if change is None else change(of_collection.rule)
            time = now()
            update_collection(connection, of_collection.key, time, values)
            if rule != of_collection.rule:
                at_revision = new_revision(connection, "collection", time)
                insert_collection_version(connection, of_collection.key, rule, at_revision)

    def tag_tracker(self, name: str, change: TagChange) -> None:
        with self._changing() as connection:
            row = tracker_named(connection, name)
            update_tracker(connection, row.key, row.updated_time, {"tags": change(row.tags)})

    def tag_collection(self, name: str, change: TagChange) -> None:
        with self._changing() as connection:
            row = collection_named(connection, name)
            update_collection(connection, row.key, row.updated_time, {"tags": change(row.tags)})

    def delete_tracker(self, name: str) -> None:
        """Removes a tracker with all its devices, positions and events."""
        with self._changing() as connection:
            key = tracker_named(connection, name).key
            if name in (DEFAULT, self._fed):
                raise Conflict(f"tracker {name!r} always exists: delete its devices instead")
            new_revision(connection, "unlink", now())
            _delete_tracker(connection, key)

    def delete_collection(self, name: str, *, unlinking: bool = False) -> None:
        """Removes a collection with its geofences and the events of these.

        unlinking: its links end first; else it must have none.
        """
        with self._changing() as connection:
            key = collection_named(connection, name).key
            if name == DEFAULT:
                raise Conflict("collection 'default' always exists: delete its geofences instead")
            names, own = tracker_names(connection), name_in_collection(key)
            linked = [link.tracker_key for link in links(connection) if link.collection_key == key]
            linked = [each for each in linked if names[each] != own]
            if unlinking:
                for of_tracker in linked:
                    delete_link(connection, of_tracker, key, new_revision(connection, "unlink", now()))
            elif linked:
                trackers = ", ".join(repr(names[each]) for each in linked)
                raise Conflict(f"collection {name!r} is linked to tracker {trackers}: unlink it first")
            new_revision(connection, "delete", now())
            if own in names.values():
                _delete_tracker(connection, tracker_named(connection, own).key)
            delete_collection(connection, key)

    def link(self, tracker_name: str, collection_name: str, most: int | None = None) -> bool:
        """From now on the tracker's fixes are compared with the collection; answers whether that is new.

        most: with how many collections a tracker's may be; None: any number.
        """
        with self._changing() as connection:
            of_tracker, to_collection, linked = _link(connection, tracker_name, collection_name)
            if not linked:
                others = sum(link.tracker_key == of_tracker for link in links(connection))
                _check_number(f"collections linked to tracker {tracker_name!r}", others, most)
                at_revision = new_revision(connection, "link", now())
                insert_link(connection, of_tracker, to_collection, at_revision)
        return not linked

    def unlink(self, tracker_name: str, collection_name: str) -> None:
        """Ends a link, and the state that rested on it, without an event."""
        with self._changing() as connection:
            of_tracker, to_collection, linked = _link(connection, tracker_name, collection_name)
            if not linked:
                raise NotFound(f"collection {collection_name!r} is not linked to tracker {tracker_name!r}")
            at_revision = new_revision(connection, "unlink", now())
            delete_link(connection, of_tracker, to_collection, at_revision)


def _delete_tracker(connection: Connection, key: int) -> None:
    hold_commits(connection)
    delete_tracker(connection, key)
    tell_erased(connection)


def _link(connection: Connection, tracker_name: str, collection_name: str) -> tuple[int, int, bool]:
    of_tracker = tracker_named(connection, tracker_name).key
    to_collection = collection_named(connection, collection_name).key
    linked = any(link[:2] == (of_tracker, to_collection) for link in links(connection))
    return of_tracker, to_collection, linked


def _check_name(kind: str, name: str) -> None:
    if not is_identifier(name):
        raise Refused(f"{kind} name {name!r}: expected 1 to 100 letters, digits, '-', '.' or '_'")


def _check_number(what: str, number: int, most: int | None) -> None:
    if most is not None and number >= most:
        raise TooMany(f"there are {number} {what} already: expected at most {most}")


def _check_filtering(values: TrackerValues) -> None:
    filtering = values.get("position_filtering")
    if filtering is not None and filtering not in FILTERINGS:
        raise Refused(f"positionFiltering {filtering!r}: expected {', '.join(FILTERINGS)} or null")
