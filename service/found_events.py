"""Events that an evaluation found, as rows that can be put together and sorted."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geofence.state.evaluation import Evaluation

EVENT: Final = np.dtype(
    [
        ("device", np.int32),
        ("geofence", np.int32),
        ("kind", np.int8),
        ("time", np.int64),
        ("longitude", np.float64),
        ("latitude", np.float64),
        ("interpolated", np.bool_),
        ("share", np.float64),
        ("ordinal", np.int32),
    ]
)
"""Columns of an `Evaluation` by these names. Its device is a slot, its geofence a key."""


def found_events(evaluation: Evaluation, dtype: "np.dtype[np.void]" = EVENT) -> NDArray[np.void]:
    """Rows of EVENT, or of a type that has more columns, which are still to be filled."""
    rows = np.empty(len(evaluation.position), dtype)
    for name in EVENT.names or ():
        rows[name] = getattr(evaluation, name)
    return rows
