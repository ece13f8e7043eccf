"""What an alert tells: its events, and the names that their geofences had."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select

from geofence.events import DWELL, ENTER, EXIT, EventType
from geofence.geofence import called
from geofence.reading.geofence_properties import GEOFENCE_PROPERTIES, geofence_properties
from geofence.reading.json_values import number_of
from service.native_event import NATIVE_COLUMNS, native_event
from service.store.reading.trackers import OF_COLLECTION
from service.store.schema import event, geofence_version, outbox, tracker

IN_FULL = (event.c.geofence_key, event.c.revision, event.c.properties)


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event as people are told of it. `sample_time` in ms; `properties` as the device sent them.

    `dwell_seconds` is how long a device must have been inside for a DWELL, None where the geofence does not
    ask. `interpolated`: time and position are between two fixes, the properties those of the later one.
    """

    tracker_name: str
    collection_name: str
    device_id: str
    geofence_id: str
    geofence_name: str
    event_type: EventType
    sample_time: int
    longitude: float
    latitude: float
    properties: Mapping[str, object]
    dwell_seconds: float | None = None
    interpolated: bool = False

    @property
    def of_tracker(self) -> str | None:
        """The tracker's name, where it is none that is a part of its collection."""
        return None if self.tracker_name.startswith(OF_COLLECTION) else self.tracker_name


@dataclass(frozen=True, slots=True)
class WholeEvent:
    """An event with all that is known of it. `accuracy` in metres.

    The properties of the position and of the geofence that it met are JSON objects as text, '' where there
    are none. Of a geofence that keeps its GeofenceProperties apart they are these alone.
    """

    native: Mapping[str, object]
    told: ToldEvent
    accuracy: float | None
    position_properties: str
    geofence_properties: str


@dataclass(frozen=True, slots=True)
class GeofenceCount:
    """How many events of each type a geofence has."""

    geofence_id: str
    geofence_name: str
    entered: int
    left: int
    dwelled: int = 0


@dataclass(frozen=True, slots=True)
class GatheredEvents:
    """The events of one alert: all of them in native form, the first ones in full, and counts by geofence."""

    native: Sequence[Mapping[str, object]]
    told: Sequence[ToldEvent]
    counts: Sequence[GeofenceCount]


def gathered_events(connection: Connection, alert_key: int, told: int) -> GatheredEvents:
    """The events of an alert in their order, the first `told` of them in full."""
    native = [native_event(row) for row in connection.execute(_of_alert(alert_key)).mappings()]
    in_full = _of_alert(alert_key).add_columns(*IN_FULL)  # properties may have 8 KiB each: never all of them
    rows = connection.execute(in_full.limit(told)).mappings().all()
    counts = connection.execute(_counts(alert_key)).mappings().all()
    met = _GeofencesMet(connection)
    return GatheredEvents(
        native,
        [_told(row, met) for row in rows],
        [
            GeofenceCount(row["geofence_id"], met.name(row), row["entered"], row["left"], row["dwelled"])
            for row in counts
        ],
    )


def native_events(
    connection: Connection, alert_keys: Sequence[int]
) -> Iterator[tuple[int, dict[str, object]]]:
    """(key of the alert, native event) of alerts that tell of one event each."""
    statement = _native(outbox.c.alert_key).where(outbox.c.alert_key.in_(alert_keys))
    for row in connection.execute(statement).mappings():
        yield row["alert_key"], native_event(row)


def whole_events(connection: Connection, alert_keys: Sequence[int]) -> Iterator[tuple[int, WholeEvent]]:
    """(key of the alert, event) of alerts that tell of one event each."""
    statement = _native(outbox.c.alert_key, event.c.accuracy, *IN_FULL).where(
        outbox.c.alert_key.in_(alert_keys)
    )
    met = _GeofencesMet(connection)
    for row in connection.execute(statement).mappings().all():
        told = _told(row, met)
        yield (
            row["alert_key"],
            WholeEvent(native_event(row), told, row["accuracy"], row["properties"], met.told_properties(row)),
        )


def _native(*columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*NATIVE_COLUMNS, *columns)
        .select_from(outbox)
        .join(event, event.c.seq == outbox.c.event_seq)
        .join(tracker, tracker.c.key == event.c.tracker_key)
    )


def _of_alert(alert_key: int) -> Select[*tuple[Any, ...]]:
    return _native().where(outbox.c.alert_key == alert_key).order_by(outbox.c.key)


def _counts(alert_key: int) -> Select[*tuple[Any, ...]]:
    """By geofence, most events first; `revision` is the last that its events met."""

    def of_type(event_type: EventType) -> ColumnElement[int]:
        return func.count().filter(event.c.event_type == event_type)

    return (
        select(
            event.c.geofence_key,
            event.c.geofence_id,
            func.max(event.c.revision).label("revision"),
            of_type(ENTER).label("entered"),
            of_type(EXIT).label("left"),
            of_type(DWELL).label("dwelled"),
        )
        .join(outbox, outbox.c.event_seq == event.c.seq)
        .where(outbox.c.alert_key == alert_key)
        .group_by(event.c.geofence_key, event.c.geofence_id)
        .order_by(func.count().desc(), event.c.geofence_key)
    )


def _told(row: RowMapping, met: "_GeofencesMet") -> ToldEvent:
    return ToldEvent(
        tracker_name=row["tracker_name"],
        collection_name=row["collection_name"],
        device_id=row["device_id"],
        geofence_id=row["geofence_id"],
        geofence_name=met.name(row),
        event_type=row["event_type"],
        sample_time=row["sample_time"],
        longitude=row["longitude"],
        latitude=row["latitude"],
        properties=_properties(row["properties"]),
        dwell_seconds=met.dwell_seconds(row),
        interpolated=row["interpolated"],
    )


def _properties(text: str) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object]) if text else {}
    except msgspec.MsgspecError:  # a number beyond what a double holds
        return {}


class _Asked(msgspec.Struct, rename="camel"):
    """As much of a geofence's properties as people are told; any JSON."""

    name: Any = None
    dwell_seconds: Any = None
    geofence_properties: Any = None

    @property
    def own(self) -> dict[str, str] | None:
        """Its GeofenceProperties, where they are kept apart from the others."""
        return geofence_properties({GEOFENCE_PROPERTIES: self.geofence_properties})


class _Feature(msgspec.Struct):
    properties: msgspec.Raw = msgspec.Raw(b"")


_features = msgspec.json.Decoder(_Feature)
_asked = msgspec.json.Decoder(_Asked | None)


class _GeofencesMet:
    """What geofences were at the revisions that events met, looked up once each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._properties: dict[tuple[int, int], str] = {}

    def properties(self, row: RowMapping) -> str:
        """Of the version in force at the row's revision, as JSON text; '' where there are none."""
        key = row["geofence_key"], row["revision"]
        if key not in self._properties:
            self._properties[key] = self._looked_up(*key)
        return self._properties[key]

    def told_properties(self, row: RowMapping) -> str:
        """Its GeofenceProperties as JSON text; where it has none apart, all of its properties."""
        own = self._told_of(row).own
        return self.properties(row) if own is None else msgspec.json.encode(own).decode()

    def name(self, row: RowMapping) -> str:
        """`properties.name`, else that of its GeofenceProperties, else the geofence's id."""
        told = self._told_of(row)
        return called(told.name, called((told.own or {}).get("name"), row["geofence_id"]))

    def dwell_seconds(self, row: RowMapping) -> float | None:
        """`properties.dwellSeconds`, where it is a number."""
        return number_of(self._told_of(row).dwell_seconds)

    def _told_of(self, row: RowMapping) -> _Asked:
        properties = self.properties(row)
        return (_asked.decode(properties) if properties else None) or _Asked()

    def _looked_up(self, geofence_key: int, revision: int) -> str:
        in_force = (
            select(geofence_version.c.feature)
            .where(
                geofence_version.c.geofence_key == geofence_key,
                geofence_version.c.revision <= revision,
                geofence_version.c.feature.is_not(None),
            )
            .order_by(geofence_version.c.revision.desc())
            .limit(1)
        )
        feature = self._connection.scalar(in_force)
        properties = bytes(_features.decode(feature).properties) if feature else b""
        return "" if properties in (b"", b"null", b"{}") else properties.decode()
