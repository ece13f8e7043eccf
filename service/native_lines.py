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
    events: NDArray[np.void],
) -> bytes:
    """The native event of each of the `events`, rows of EVENT, with what is in the columns beside it.

    No text in them needs escaping: identifiers have no such characters.
    """
    columns = zip(
        event_ids,
        event_types,
        trackers,
        collections,
        device_ids,
        geofence_ids,
        np.datetime_as_string(events["time"].astype("datetime64[ms]")).tolist(),
        events["longitude"].tolist(),
        events["latitude"].tolist(),
        map(INTERPOLATED.__getitem__, events["interpolated"].tolist()),
        strict=False,  # a name that all rows share is repeated without end
    )
    return "".join([LINE % columns_of_one for columns_of_one in columns]).encode()


LINE = (
    '{"eventId":"%s","eventType":"%s","trackerName":"%s","collectionName":"%s",'
    '"deviceId":"%s","geofenceId":"%s","sampleTime":"%sZ","position":[%r,%r]%s}\n'
)
INTERPOLATED = ("", ',"interpolated":true')
