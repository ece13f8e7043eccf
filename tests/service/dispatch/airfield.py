"""A tracker with one geofence, over which tests let devices fly, and dispatchers of its outbox."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select

from geofence.reading.geojson import read_geofences
from ingest.messages import Message
from service.dispatch.email_channel import EmailChannel
from service.dispatch.outbox import Channel, Dispatcher
from service.dispatch.smtp import SmtpServer
from service.store.schema import alert
from tests.service.workshop import Workshop
from tests.stores import Store

MINUTE = 60_000
AIRPORT = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "LSZH", '
    '"properties": {"name": "Zürich Airport", "radius": 5000}, '
    '"geometry": {"type": "Point", "coordinates": [8.55, 47.45]}}]}'
)


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Airfield:
    def __init__(self, store: Store, channels: Sequence[str]) -> None:
        self.workshop = Workshop(store, channels=channels)
        self.workshop.catalog.put("default", read_geofences(AIRPORT.encode()))
        self.clock = Clock()
        self._fixes: Counter[str] = Counter()
        self._time = 0

    def cross(self, device_id: str, **properties: Any) -> None:
        """One crossing of the airport's line: in, or out if the device is in."""
        self.cross_all([device_id], **properties)

    def cross_all(self, device_ids: Sequence[str], **properties: Any) -> None:
        self.workshop.ingest(*[self._next_fix(each, properties) for each in device_ids])

    def _next_fix(self, device_id: str, properties: dict[str, Any]) -> Message:
        latitude = 47.45 if self._fixes[device_id] % 2 == 0 else 48.0
        self._fixes[device_id] += 1
        self._time += 1
        return self.workshop.fix(device_id, self._time, 8.55, latitude, **properties)

    def mail_dispatcher(
        self, url: str, recipient: str = "ops@example.org", interval: int = MINUTE, seconds: float = 5
    ) -> Dispatcher:
        server = SmtpServer.from_url(url, seconds=seconds)
        channel = EmailChannel(
            server,
            sender="overfly@example.org",
            recipient=recipient,
            interval=interval,
            public_url="http://127.0.0.1:8000",
        )
        return self.dispatcher(channel)

    def dispatcher(self, channel: Channel) -> Dispatcher:
        return Dispatcher(self.workshop.database, channel, self.clock, self.workshop.metrics)

    def alerts(self) -> list[RowMapping]:
        with self.workshop.database.read() as connection:
            return list(connection.execute(select(alert).order_by(alert.c.key)).mappings())

    def statuses(self) -> list[str]:
        return [each["status"] for each in self.alerts()]


def rounds(dispatcher: Dispatcher) -> None:
    """All that is due now."""
    while dispatcher.round(threading.Event()):
        pass
