"""Pairs of a path and a geofence, with what happens between the two."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.paths.crossings import PathCrossings
from geofence.paths.paths import Numbers
from geofence.paths.stretches import Changed, Inside, Stretches

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CrossedPairs:
    """n pairs by path, then geofence. `begins` and `ends` say whether the path begins and ends inside."""

    path: Numbers
    geofence: NDArray[np.int32]
    begins: Flags
    ends: Flags
    changed: Changed

    def __len__(self) -> int:
        return len(self.path)

    @classmethod
    def of(cls, crossings: PathCrossings, staying: Numbers) -> Self:
        """Those that are crossed, and those in which the path stays: path << 32 | geofence, in any order."""
        crossed = crossings.path << 32 | crossings.geofence
        pair, of = np.unique(np.concatenate([crossed, staying]), return_inverse=True)
        of = of[: len(crossed)]
        begins, ends = np.ones(len(pair), np.bool_), np.ones(len(pair), np.bool_)
        number, first = np.unique(of, return_index=True)
        last = np.append(first[1:], len(of)) - 1 if len(of) else first
        begins[number], ends[number] = ~crossings.entering[first], crossings.entering[last]
        changed = Changed(of, crossings.share, crossings.entering)
        return cls(pair >> 32, pair.astype(np.int32), begins, ends, changed)

    def take(self, kept: Flags) -> Self:
        """The pairs of a mask of length n."""
        number = np.cumsum(kept) - 1
        changed = self.changed.take(kept[self.changed.of])
        changed = Changed(number[changed.of], changed.share, changed.entering)
        return type(self)(self.path[kept], self.geofence[kept], self.begins[kept], self.ends[kept], changed)

    def inside(self) -> Inside:
        """The same as stretches inside."""
        stretches = Stretches.between(self.begins, self.changed.of, self.changed.share)
        return Inside(self.begins, self.ends, stretches)
