"""The database that an account is copied into: what is there stays and is made equal, nothing is deleted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from geofence.reading.geojson import feature_text
from service.catalog import GeofenceCatalog
from service.errors import NotFound
from service.location import collections, trackers
from service.location.geometry_rules import GeometryRefused, GivenGeofence, given_geofence
from service.location.updates import stored_updates
from service.moving.amazon_location.account import Entry
from service.moving.amazon_location.summary import Summary
from service.outcome import Posted
from service.store.collections import CollectionValues
from service.store.database import Database
from service.store.reading.collections import collection_named
from service.store.reading.geofences import geofence_of_id
from service.store.trackers import TrackerValues
from service.tracker import Tracker

UNSAID: Final[Mapping[str, object]] = {
    "description": "",
    "tags": {},
    "position_events": False,
    "kms_geospatial": False,
}
"""What Amazon leaves out, by our name; all else that it leaves out is None here."""


class FilledDatabase:
    """Raises StoreAway, ShardsLost."""

    def __init__(
        self,
        database: Database,
        catalog: GeofenceCatalog,
        tracker: Tracker,
        stay: Callable[[], object],
        summary: Summary,
    ) -> None:
        """tracker: one that tells nobody of what it evaluates. stay: called while it is used, so that nobody
        else uses the database.
        """
        self._database = database
        self._catalog = catalog
        self._tracker = tracker
        self._stay = stay
        self._summary = summary

    def put_tracker(self, said: Entry) -> None:
        """Creates a tracker, or makes the one of this name equal, but for filtering: see `set_filtering`."""
        name, values = said["TrackerName"], _values(said, trackers.VALUES)
        of_tracker: TrackerValues = {**values, "position_filtering": None}  # type: ignore[typeddict-item]  # by table
        try:
            self._catalog.update_tracker(name, **of_tracker)
        except NotFound:
            self._catalog.create_tracker(name, **of_tracker)
            self._summary.done["trackers created"] += 1
        else:
            self._summary.done["trackers that were there"] += 1

    def set_filtering(self, said: Entry) -> None:
        """What is copied has passed Amazon's filter: ours is for what comes then."""
        self._catalog.update_tracker(said["TrackerName"], position_filtering=said.get("PositionFiltering"))

    def put_collection(self, said: Entry) -> None:
        """Creates a collection, or makes the one of this name equal."""
        name = said["CollectionName"]
        values: CollectionValues = _values(said, collections.VALUES)  # type: ignore[assignment]  # by table
        try:
            self._catalog.update_collection(name, **values)
        except NotFound:
            self._catalog.create_collection(name, **values)
            self._summary.done["collections created"] += 1
        else:
            self._summary.done["collections that were there"] += 1

    def link(self, tracker: str, collection: str) -> None:
        new = self._catalog.link(tracker, collection)
        self._summary.done["links created" if new else "links that were there"] += 1

    def put_geofences(self, collection: str, entries: Sequence[Entry]) -> None:
        """Puts those that are new or another than here."""
        given = [each for each in map(self._given, entries) if each is not None]
        with self._database.read() as connection:
            key = collection_named(connection, collection).key
            changed = []
            for each in given:
                try:
                    row = geofence_of_id(connection, key, each.geofence.id)
                except NotFound:
                    changed.append(each)
                else:
                    if (row.feature, row.given) != (feature_text(each.geofence), each.given):
                        changed.append(each)
        otherwise = {each.geofence.id: each.given for each in changed if each.given is not None}
        self._catalog.put(collection, [each.geofence for each in changed], otherwise)
        self._summary.done["geofences put"] += len(changed)
        self._summary.done["geofences that were there"] += len(given) - len(changed)

    def store_positions(self, tracker: str, entries: Sequence[Entry]) -> Posted:
        """Stores and evaluates them; those before a device's latest are late, and not evaluated.

        Nobody is told: what they cross was told by Amazon.
        """
        self._stay()
        updates = [{**each, "SampleTime": milliseconds(each)} for each in entries]
        return stored_updates(self._tracker, tracker, [updates])

    def _given(self, entry: Entry) -> GivenGeofence | None:
        try:
            return given_geofence(entry["GeofenceId"], entry["Geometry"], entry.get("GeofenceProperties"))
        except GeometryRefused as refused:
            self._summary.faults.append(f"geofence {entry['GeofenceId']!r}: {refused}")
            return None


def _values(said: Entry, names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: said.get(theirs, UNSAID.get(ours)) for theirs, ours in names.items()}


def milliseconds(entry: Entry) -> int:
    """When a position was measured, since the epoch."""
    measured: datetime = entry["SampleTime"]
    return round(measured.timestamp() * 1000)
