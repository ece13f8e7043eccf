"""How a tracker filters the positions of a device, as Amazon Location calls it.

https://docs.aws.amazon.com/location/latest/APIReference/API_WaypointTracking_CreateTracker.html
"""

from typing import Final

TIME_BASED: Final = "TimeBased"
DISTANCE_BASED: Final = "DistanceBased"
ACCURACY_BASED: Final = "AccuracyBased"
FILTERINGS: Final = (TIME_BASED, DISTANCE_BASED, ACCURACY_BASED)
"""A tracker may also have none: then each position is stored and evaluated."""
