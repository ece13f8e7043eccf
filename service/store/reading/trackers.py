"""Trackers."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, select

from service.errors import NotFound
from service.store.schema import tracker


class TrackerRow(NamedTuple):
    """A tracker.

    `position_events`: whether each of its positions is put on the event bus. `position_filtering` is one of
    FILTERINGS, None where each position is stored and evaluated. `kms_key_id` and `kms_geospatial` are kept
    for who asks: what encrypts the database is chosen elsewhere.
    """

    key: int
    name: str
    created_time: int
    position_events: bool
    description: str
    tags: dict[str, str]
    position_filtering: str | None
    kms_key_id: str | None
    kms_geospatial: bool
    updated_time: int


COLUMNS = tuple(tracker.c[name] for name in TrackerRow._fields)
_tags = msgspec.json.Decoder(dict[str, str])


OF_COLLECTION: Final = "~"
"""How the name of a tracker begins that is a part of a collection. No name that people give begins so."""


def name_in_collection(collection_key: int) -> str:
    """The name of the tracker that is a part of this collection: it holds the devices that are compared with
    the collection alone. Nobody is shown it among trackers."""
    return f"{OF_COLLECTION}{collection_key}"


PEOPLES = tracker.c.of_collection.is_(None)
"""Trackers that are no part of a collection."""


def trackers(connection: Connection, after: int, limit: int) -> Sequence[TrackerRow]:
    """Trackers in the order in which they were created, without those that are parts of collections."""
    statement = select(*COLUMNS).where(PEOPLES, tracker.c.key > after).order_by(tracker.c.key).limit(limit)
    return [tracker_row(row) for row in connection.execute(statement)]


def tracker_named(connection: Connection, name: str) -> TrackerRow:
    """The tracker of this name. Raises NotFound."""
    row = connection.execute(select(*COLUMNS).where(tracker.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"there is no tracker {name!r}", "/v1/trackers")
    return tracker_row(row)


def has_tracker(connection: Connection, name: str) -> bool:
    """Whether there is a tracker of this name."""
    return connection.scalar(select(tracker.c.key).where(tracker.c.name == name)) is not None


def tracker_names(connection: Connection) -> dict[int, str]:
    """Key -> name, of all, those that are parts of collections, too."""
    return {key: name for key, name in connection.execute(select(tracker.c.key, tracker.c.name))}


def peoples_tracker_names(connection: Connection) -> dict[int, str]:
    """The same without those."""
    statement = select(tracker.c.key, tracker.c.name).where(PEOPLES)
    return {key: name for key, name in connection.execute(statement)}


def read_tags(text: str) -> dict[str, str]:
    """Of a tracker or a collection, as columns hold them."""
    return _tags.decode(text)


def tracker_row(row: Row[*tuple[Any, ...]]) -> TrackerRow:
    read = TrackerRow(*row)
    return read._replace(
        tags=read_tags(row.tags),
        updated_time=read.created_time if row.updated_time is None else row.updated_time,
    )
