"""Event types and ids: the same crossing has the same id, whoever finds it and however often."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, Literal

EventType = Literal["ENTER", "EXIT"]
ENTER: Final = "ENTER"
EXIT: Final = "EXIT"
EVENT_TYPES: Final[Mapping[bool, EventType]] = {True: ENTER, False: EXIT}
"""By whether the device is inside from then on."""


def event_id(
    tracker: str,
    collection: str,
    device_id: str,
    geofence_id: str,
    event_type: str,
    sample_time: int,
    ordinal: int = 0,
) -> str:
    """The id of one event: 32 hex digits. `sample_time` is in milliseconds.

    `ordinal` counts events of one fix that agree in all else, from 0.
    """
    parts = (tracker, collection, device_id, geofence_id, event_type, str(sample_time), str(ordinal))
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def event_ids(
    tracker: str,
    collection: str,
    device_ids: Iterable[str],
    geofence_ids: Iterable[str],
    event_types: Iterable[str],
    sample_times: Iterable[int],
) -> list[str]:
    """`event_id` of many events of one tracker and collection, given as columns; their ordinals are 0."""
    head = f"{tracker}\0{collection}\0"
    return [
        sha256(f"{head}{device_id}\0{geofence_id}\0{event_type}\0{sample_time}\0{0}".encode()).hexdigest()[
            :32
        ]
        for device_id, geofence_id, event_type, sample_time in zip(
            device_ids, geofence_ids, event_types, sample_times, strict=True
        )
    ]
