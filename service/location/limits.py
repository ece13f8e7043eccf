"""How many there may be: Amazon's quotas, unless an operator lifts them.

https://docs.aws.amazon.com/location/latest/developerguide/trackers-quotas.html and geofence-quotas.html
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Amazon's defaults. `updates_per_batch` is of BatchUpdateDevicePosition, whose model says 10."""

    trackers: int = 500
    collections: int = 1_500
    consumers: int = 5
    geofences: int = 50_000
    tags: int = 50
    updates_per_batch: int = 10


AMAZONS: Final = Limits()
