"""The geofences under which fixes are evaluated: one index or more, and how each is crossed."""

from dataclasses import dataclass

from geofence.index import GeofenceIndex


@dataclass(frozen=True, slots=True)
class Joining:
    """Which fixes of a device, one after the other, are joined by a straight path.

    Those with no more than `max_gap` (ms) between them, and no more than `max_speed` (metres per second).
    """

    max_gap: int = 300_000
    max_speed: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Watched:
    """Geofences under keys that are unique over all that are watched together.

    `joining` says how they are crossed between fixes; None if only fixes count.
    """

    index: GeofenceIndex
    joining: Joining | None = None
