"""Containment: which positions are in which geofences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Containment:
    """Every pair of a position and a geofence that contains it, by position, then geofence.

    Both columns have one length: numbers of positions in what was asked, and keys of geofences.
    """

    position: NDArray[np.int64]
    geofence: NDArray[np.int32]

    @classmethod
    def in_order(
        cls, position: NDArray[np.integer], geofence: NDArray[np.int32], *, nearly: bool = False
    ) -> Self:
        """Of pairs in any order, each once; quicker if told that they are few runs that come so."""
        pair = position.astype(np.int64) << 32 | geofence
        pair.sort(kind="stable" if nearly else None)
        repeated = pair[1:] == pair[:-1]
        if repeated.any():
            pair = pair[np.concatenate([[True], ~repeated])]
        return cls(position=pair >> 32, geofence=pair.astype(np.int32))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """What several indexes answered of the same positions, in one."""
        if len(parts) == 1:
            return parts[0]
        return cls.in_order(
            np.concatenate([np.empty(0, np.int64), *(part.position for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.geofence for part in parts)]),
            nearly=True,
        )
