"""The geofences that trackers watched, as the database has kept them, brought from change to change.

Keys are the database's, so that what is found can be laid beside its rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from geofence.faults import InvalidGeofences
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.reading.geojson import read_accepted_geofence
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from service.checking.findings import Findings, Violation
from service.collection_indexes import CollectionIndexes, GeofenceName
from service.crossing_rule import CrossingRule
from service.store.schema import collection, collection_version, geofence, geofence_version, tracker_consumer

READ_AT_ONCE = 500


class PutGeofence(NamedTuple):
    """From this revision on it is this geofence; None: it is no more."""

    revision: int
    collection_key: int
    geofence_key: int
    geofence: Geofence | None


class Linked(NamedTuple):
    """From this revision on the tracker watches the collection, or no more."""

    revision: int
    collection_key: int
    tracker_key: int
    linked: bool


class Crossed(NamedTuple):
    """From this revision on the collection's geofences are crossed so."""

    revision: int
    collection_key: int
    rule: CrossingRule


Change = PutGeofence | Linked | Crossed


@dataclass(frozen=True, slots=True)
class KeptChanges:
    """`changes` by revision, `names` of all geofences by key.

    `asking`: geofences that at some time asked something of visits or of accuracy, so that what a fix means
    depends on those before it. `volumes`: those that at some time had a least or greatest altitude.
    """

    changes: Sequence[Change]
    names: dict[int, GeofenceName]
    asking: frozenset[int]
    volumes: frozenset[int]


def kept_changes(connection: Connection, findings: Findings) -> KeptChanges:
    """All that the database has kept; a geofence that cannot be read is a violation, and left out."""
    names: dict[int, GeofenceName] = {}
    put = list(_put(connection, names, findings))
    changes: list[Change] = [*put, *_linked(connection), *_crossed(connection)]
    asked = [(each.geofence_key, each.geofence.conditions) for each in put if each.geofence is not None]
    asking = {
        key
        for key, conditions in asked
        if conditions.max_accuracy is not None
        or conditions.dwell_seconds is not None
        or conditions.exit_after_seconds is not None
        or conditions.exit_after_metres is not None
    }
    volumes = {
        key
        for key, conditions in asked
        if conditions.min_altitude is not None or conditions.max_altitude is not None
    }
    changes.sort(key=lambda change: change.revision)
    return KeptChanges(changes, names, frozenset(asking), frozenset(volumes))


def _put(connection: Connection, names: dict[int, GeofenceName], findings: Findings) -> Iterator[PutGeofence]:
    version = geofence_version.c
    statement = (
        select(
            version.revision,
            geofence.c.collection_key,
            version.geofence_key,
            collection.c.name,
            geofence.c.geofence_id,
            version.feature,
        )
        .join(geofence, geofence.c.key == version.geofence_key)
        .join(collection, collection.c.key == geofence.c.collection_key)
        .order_by(version.revision, version.geofence_key)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    for revision, collection_key, key, collection_name, geofence_id, feature in connection.execute(statement):
        names[key] = GeofenceName(collection_name, geofence_id)
        read = None
        if feature is not None:
            try:
                read = read_accepted_geofence(feature.encode(), geofence_id)
            except InvalidGeofences as error:
                row = f"geofence {geofence_id!r} of {collection_name!r} at revision {revision}"
                findings.add(Violation("geofence", row, str(error.faults[0]), "a Feature"))
        yield PutGeofence(revision, collection_key, key, read)


def _linked(connection: Connection) -> Iterator[Linked]:
    link = tracker_consumer.c
    columns = (link.tracker_key, link.collection_key, link.linked_revision, link.unlinked_revision)
    for tracker_key, collection_key, since, until in connection.execute(select(*columns)):
        yield Linked(since, collection_key, tracker_key, True)
        if until is not None:
            yield Linked(until, collection_key, tracker_key, False)


def _crossed(connection: Connection) -> Iterator[Crossed]:
    version = collection_version.c
    columns = (
        version.revision,
        version.collection_key,
        version.crossing,
        version.max_gap,
        version.max_speed,
    )
    for revision, collection_key, *rule in connection.execute(select(*columns)):
        yield Crossed(revision, collection_key, CrossingRule(*rule))


class TrackerPast:
    """One tracker's. `move` goes on from change to change, or begins anew for what met earlier ones."""

    def __init__(self, tracker_key: int, kept: KeptChanges, *, unknown_altitude_inside: bool) -> None:
        """unknown_altitude_inside: whether a fix without altitude is within every band of altitude."""
        watched = {
            change.collection_key
            for change in kept.changes
            if isinstance(change, Linked) and change.tracker_key == tracker_key
        }
        self._changes = [
            change
            for change in kept.changes
            if change.collection_key in watched
            and not (isinstance(change, Linked) and change.tracker_key != tracker_key)
        ]
        self._revisions = np.array([change.revision for change in self._changes], np.int64)
        self._unknown_altitude_inside = unknown_altitude_inside
        self._in_force = 0
        self._start()

    @property
    def newest(self) -> int:
        """How many changes there are."""
        return len(self._changes)

    def in_force(self, revision: NDArray[np.int64]) -> NDArray[np.intp]:
        """How many changes each of these revisions had behind it."""
        return np.searchsorted(self._revisions, revision, side="right")

    def move(self, in_force: int) -> None:
        """Brings so many changes into force; what has come after them is taken back."""
        if in_force < self._in_force:
            self._start()
        fresh: dict[int, dict[int, Geofence]] = {}
        for change in self._changes[self._in_force : in_force]:
            if isinstance(change, Linked):
                (self._watched.add if change.linked else self._watched.discard)(change.collection_key)
            elif isinstance(change, Crossed):
                self._indexes.cross(change.collection_key, change.rule)
            elif change.geofence is not None:
                fresh.setdefault(change.collection_key, {})[change.geofence_key] = change.geofence
            else:
                fresh.get(change.collection_key, {}).pop(change.geofence_key, None)
                self._indexes.discard(change.collection_key, [change.geofence_key])
        for collection_key, geofences in fresh.items():
            self._indexes.put(collection_key, geofences)
        self._in_force = in_force

    def end_state(self, state: InsideState, since: int, until: int) -> None:
        """Ends what rested on what these changes ended, without an event."""
        ended: list[int] = []
        for change in self._changes[since:until]:
            if isinstance(change, Linked) and not change.linked:
                ended += self._keys_of(change.collection_key)
            elif isinstance(change, PutGeofence) and change.geofence is None:
                ended.append(change.geofence_key)
        if ended:
            state.discard_geofences(np.array(ended, np.int32))

    def evaluate(self, fixes: FixColumns, state: InsideState) -> Evaluation:
        """What these fixes mean after `state`, which is not changed."""
        return self._indexes.evaluate(sorted(self._watched), fixes, state)

    def _start(self) -> None:
        self._indexes = CollectionIndexes[int](unknown_altitude_inside=self._unknown_altitude_inside)
        self._watched: set[int] = set()
        self._in_force = 0

    def _keys_of(self, collection_key: int) -> Iterable[int]:
        return {
            change.geofence_key
            for change in self._changes
            if isinstance(change, PutGeofence) and change.collection_key == collection_key
        }
