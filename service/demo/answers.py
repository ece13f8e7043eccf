"""What the demo asks the running server, over the same API that everybody has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

LIST_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Crossing:
    """An event as people read it: altitude in metres, `time` aware."""

    time: datetime
    event_type: str
    device_id: str
    geofence_id: str
    callsign: str | None = None
    altitude: float | None = None


class Answers:
    """The API at `url`. Every method raises httpx.HTTPError where the server does not answer as it should."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10, trust_env=False)
        self._cursor: str | None = None

    def is_ready(self) -> bool:
        """Whether the server takes positions now."""
        try:
            return self._client.get("/v1/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False  # not listening yet

    def put_geofences(self, document: bytes) -> None:
        """Give the server a FeatureCollection."""
        headers = {"Content-Type": "application/geo+json"}
        self._client.post("/v1/geofences", content=document, headers=headers, timeout=60).raise_for_status()

    def new_crossings(self) -> list[Crossing]:
        """The events that have come since the last call."""
        parameters: dict[str, str | int] = {"limit": LIST_LIMIT}
        if self._cursor is not None:
            parameters["cursor"] = self._cursor
        page = self._get("/v1/events", parameters)
        self._cursor = page["resumeCursor"] or self._cursor
        return [_crossing(event) for event in page["items"]]

    def with_fix(self, crossing: Crossing) -> Crossing:
        """The crossing with what its fix says besides."""
        start = crossing.time.isoformat(timespec="milliseconds")
        parameters: dict[str, str | int] = {"start": start, "limit": 1}
        fixes = self._get(f"/v1/devices/{crossing.device_id}/positions", parameters)["items"]
        properties = (fixes[0].get("properties") or {}) if fixes else {}
        callsign, altitude = properties.get("callsign"), properties.get("altitude")
        return Crossing(
            crossing.time,
            crossing.event_type,
            crossing.device_id,
            crossing.geofence_id,
            callsign if isinstance(callsign, str) else None,
            float(altitude) if isinstance(altitude, int | float) else None,
        )

    def device_count(self) -> int:
        """How many devices have a position, up to LIST_LIMIT."""
        return len(self._get("/v1/devices", {"limit": LIST_LIMIT})["features"])

    def _get(self, path: str, parameters: dict[str, str | int]) -> dict[str, Any]:
        answer = self._client.get(path, params=parameters)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def _crossing(event: dict[str, Any]) -> Crossing:
    return Crossing(
        time=datetime.fromisoformat(event["sampleTime"]),
        event_type=event["eventType"],
        device_id=event["deviceId"],
        geofence_id=event["geofenceId"],
    )
