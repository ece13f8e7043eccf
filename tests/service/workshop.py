"""A tracker on a database of its own, for tests: real parts, put together as the composition root does."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from geofence.geofence import Geofence
from geofence.reading.geojson import read_geofences
from ingest.messages import Message
from service.catalog import GeofenceCatalog
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.reorder import ReorderClock
from service.store.database import Database
from service.store.partitions import DaysOfHistory
from service.store.reading.events import EventFilter, events
from service.store.schema import device, event, position, reject
from service.timestamps import now
from service.tracker import Tracker
from tests.stores import PostgresStore, Store

HOUR = 3_600_000


class Workshop:
    """Tracker `default` with collection `default`.

    `time` of a fix counts milliseconds from an hour ago; `seconds` is what the window's clock shows.
    """

    def __init__(
        self,
        store: Store,
        window: float = 0,
        channels: Sequence[str] = (),
        *,
        telling_positions: bool = False,
        unknown_altitude_inside: bool = False,
    ) -> None:
        self.store = store
        self.window = window
        self.channels = channels
        self.telling_positions = telling_positions
        self.unknown_altitude_inside = unknown_altitude_inside
        self.began = now() - HOUR
        self.seconds = 0.0
        self.open()

    def open(self) -> None:
        """As after a start of the process."""
        self.database: Database = self.store.open()
        self.metrics = Metrics()
        self.reorder = ReorderClock(self.window)
        live = LiveGeofences(unknown_altitude_inside=self.unknown_altitude_inside)
        self.catalog = GeofenceCatalog(self.database, live)
        self.tracker = Tracker(
            self.database,
            live,
            Intake(600_000, None),
            self.reorder,
            self.metrics,
            self.channels,
            self.telling_positions,
            history=DaysOfHistory(self.database, None) if isinstance(self.store, PostgresStore) else None,
            monotonic=lambda: self.seconds,
        )
        self.tracker.restart_window()
        self.tracker.run_window(True)

    def reopen(self) -> None:
        self.database.close()
        self.open()

    def fix(self, device_id: str, time: int, longitude: float, latitude: float = 0.0, **more: Any) -> Message:
        payload = {
            "deviceId": device_id,
            "timestamp": self.began + time,
            "longitude": longitude,
            "latitude": latitude,
            **more,
        }
        return Message(json.dumps(payload).encode())

    def ingest(self, *messages: Message) -> None:
        self.tracker.ingest(messages, "default")
        self.tracker.evaluate_due()

    def events(self) -> list[tuple[str, str, str, int]]:
        """(type, device, geofence, time) in order of commit."""
        columns = (event.c.event_type, event.c.device_id, event.c.geofence_id, event.c.sample_time)
        with self.database.read() as connection:
            rows = connection.execute(select(*columns).order_by(event.c.seq)).all()
        return [(row[0], row[1], row[2], row[3] - self.began) for row in rows]

    def native(self) -> list[dict[str, Any]]:
        """The events of tracker `default` as receivers see them, in order of commit."""
        with self.database.read() as connection:
            return [row.native for row in events(connection, 1, EventFilter(), 0, 100_000)]

    def event_ids(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(event.c.event_id).order_by(event.c.seq)))

    def positions(self) -> list[tuple[str, int, int | None, bool]]:
        """(device, time, revision, late) by device and time."""
        statement = (
            select(device.c.device_id, position.c.sample_time, position.c.revision, position.c.late)
            .join(device, device.c.key == position.c.device_key)
            .order_by(device.c.device_id, position.c.sample_time)
        )
        with self.database.read() as connection:
            rows = connection.execute(statement).all()
        return [(row[0], row[1] - self.began, row[2], row[3]) for row in rows]

    def reject_reasons(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(reject.c.reason).order_by(reject.c.key)))


def box(
    geofence_id: str, west: float, east: float, south: float = -1, north: float = 1, **properties: object
) -> Geofence:
    """A rectangle."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    feature = {
        "type": "Feature",
        "id": geofence_id,
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    document = {"type": "FeatureCollection", "features": [feature]}
    return read_geofences(json.dumps(document).encode())[0]


def overlapping(store: Store) -> Workshop:
    """One with the geofences A, from longitude 0 to 10, and B, from 5 to 15."""
    made = Workshop(store)
    made.catalog.put("default", [box("A", 0, 10), box("B", 5, 15)])
    return made
