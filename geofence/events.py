"""Event types and ids: the same event has the same id, whoever finds it and however often."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Literal

EventType = Literal["EXIT", "ENTER", "DWELL"]
EXIT: Final = "EXIT"
ENTER: Final = "ENTER"
DWELL: Final = "DWELL"
EVENT_TYPES: Final[tuple[EventType, ...]] = (EXIT, ENTER, DWELL)
"""By kind, a number: of events of one time the lower kind comes first."""

EXIT_KIND, ENTER_KIND, DWELL_KIND = range(3)


def event_id(
    tracker: str,
    collection: str,
    device_id: str,
    geofence_id: str,
    event_type: str,
    event_time: int,
    ordinal: int = 0,
) -> str:
    """The id of one event: 32 hex digits. `event_time` is in milliseconds.

    `ordinal` counts events of one fix that agree in all else, from 0.
    """
    parts = (tracker, collection, device_id, geofence_id, event_type, str(event_time), str(ordinal))
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def event_ids(
    tracker: str,
    collection: str,
    device_ids: Iterable[str],
    geofence_ids: Iterable[str],
    event_types: Iterable[str],
    event_times: Iterable[int],
    ordinals: Iterable[int],
) -> list[str]:
    """`event_id` of many events of one tracker and collection, given as columns."""
    head = f"{tracker}\0{collection}\0"
    return [
        sha256(f"{head}{device_id}\0{geofence_id}\0{event_type}\0{time}\0{ordinal}".encode()).hexdigest()[:32]
        for device_id, geofence_id, event_type, time, ordinal in zip(
            device_ids, geofence_ids, event_types, event_times, ordinals, strict=True
        )
    ]
