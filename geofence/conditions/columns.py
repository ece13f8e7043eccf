"""Conditions of geofences as columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class ConditionColumns(NamedTuple):
    """The conditions of k geofences, by key.

    `low` and `high` in metres of altitude, infinite where not `banded`; `accuracy` in metres, infinite where
    any will do; `devices` a PatternFilter where `filtered`, `properties` a PropertyFilter where `described`,
    `schedule` a Schedule where `scheduled`, else None.
    """

    geofence: NDArray[np.int32]
    banded: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    filtered: NDArray[np.bool_]
    devices: NDArray[np.object_]
    described: NDArray[np.bool_]
    properties: NDArray[np.object_]
    scheduled: NDArray[np.bool_]
    schedule: NDArray[np.object_]

    @staticmethod
    def of(rows: Sequence[tuple[object, ...]]) -> "ConditionColumns":
        """The columns of these rows, of which there may be none."""
        columns = zip(*rows, strict=True) if rows else [()] * len(KINDS)
        return ConditionColumns(
            *(np.array(column, kind) for column, kind in zip(columns, KINDS, strict=True))
        )


KINDS: Sequence[Any] = (
    np.int32,
    *(np.bool_, np.float64, np.float64),
    np.float64,
    *(np.bool_, np.object_) * 3,
)
