"""The payload of a fix, as a device would publish it."""

from typing import Final

import msgspec
import numpy as np

from geofence.fixes.positions import PositionBatch

ORDER: Final = {"altitude": 0, "speed": 1, "heading": 2, "verticalRate": 3, "accuracy": 4, "callsign": 5}
"""Of the optional members; others follow."""

_ENCODER = msgspec.json.Encoder()


def payloads(batch: PositionBatch) -> list[bytes]:
    """One JSON object for each position; decoding it gives the position again.

    Members: deviceId, timestamp (ISO 8601 UTC with milliseconds), latitude, longitude, then those of ORDER.
    sample_time must lie in the years 1 to 9999.
    """
    times = np.datetime_as_string(batch.sample_time.astype("datetime64[ms]"), timezone="UTC").tolist()
    rows = zip(
        batch.device_id.tolist(),
        times,
        batch.latitude.tolist(),
        batch.longitude.tolist(),
        batch.accuracy.tolist(),
        batch.properties.tolist(),
        strict=True,
    )
    return [_payload(*row) for row in rows]


def _payload(
    device_id: str, time: str, latitude: float, longitude: float, accuracy: float, properties: str
) -> bytes:
    members: dict[str, object] = msgspec.json.decode(properties) if properties else {}
    if accuracy == accuracy:  # noqa: PLR0124  # not NaN, which stands for unknown
        members["accuracy"] = accuracy
    ordered = sorted(members.items(), key=lambda member: ORDER.get(member[0], len(ORDER)))
    fix = {"deviceId": device_id, "timestamp": time, "latitude": latitude, "longitude": longitude}
    return _ENCODER.encode(fix | dict(ordered))
