"""Native events as lines of NDJSON, written by the thousand without an object for each."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

LINES = 10_000
"""Events written at once."""


def native_lines(
    event_ids: Iterable[str],
    event_types: Iterable[str],
    trackers: Iterable[str],
    collections: Iterable[str],
    device_ids: Iterable[str],
    geofence_ids: Iterable[str],
    sample_time: NDArray[np.int64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
) -> bytes:
    """The native event of each row of these columns, as long as `sample_time` (ms), a line each.

    No text in them needs escaping: identifiers have no such characters.
    """
    columns = zip(
        event_ids,
        event_types,
        trackers,
        collections,
        device_ids,
        geofence_ids,
        np.datetime_as_string(sample_time.astype("datetime64[ms]")).tolist(),
        longitude.tolist(),
        latitude.tolist(),
        strict=False,  # a name that all rows share is repeated without end
    )
    return "".join([LINE % columns_of_one for columns_of_one in columns]).encode()


LINE = (
    '{"eventId":"%s","eventType":"%s","trackerName":"%s","collectionName":"%s",'
    '"deviceId":"%s","geofenceId":"%s","sampleTime":"%sZ","position":[%r,%r]}\n'
)
