"""How many there may be: Amazon's quotas, unless an operator lifts them.

https://docs.aws.amazon.com/location/latest/developerguide/trackers-quotas.html and geofence-quotas.html
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

Number = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Limits:
    """Amazon's defaults. `updates_per_batch` is of BatchUpdateDevicePosition, whose model says 10.

    `history_days`: what was measured longer ago is not shown by this face.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    trackers: Number = 500
    collections: Number = 1_500
    consumers: Number = 5
    geofences: Number = 50_000
    tags: Number = 50
    updates_per_batch: Number = 10
    history_days: Number = 30


AMAZONS: Final = Limits()
