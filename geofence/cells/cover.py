"""Covers: which cells lie wholly in an area, and which its boundary crosses."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofence.cells.grid import CODE_BITS, Cells, Integers


class Cover(NamedTuple):
    """n ranges of codes, each with the number of the area that it belongs to.

    In one that is not `crossed` every position lies in the area. Positions of an area lie in its ranges.
    """

    area: NDArray[np.int32]
    start: Integers
    end: Integers
    crossed: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several in one."""
        return cls(
            np.concatenate([part.area for part in parts] or [np.empty(0, np.int32)]),
            np.concatenate([part.start for part in parts] or [np.empty(0, np.int64)]),
            np.concatenate([part.end for part in parts] or [np.empty(0, np.int64)]),
            np.concatenate([part.crossed for part in parts] or [np.empty(0, np.bool_)]),
        )

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The ranges at `at`: numbers, or a mask of length n."""
        return type(self)(self.area[at], self.start[at], self.end[at], self.crossed[at])

    def shifted(self, first: int) -> Self:
        """With areas numbered from `first` on."""
        return self._replace(area=self.area + np.int32(first))

    def merged(self) -> Self:
        """With ranges that follow one another made one. Areas have numbers below 2**20 here."""
        key = self.area.astype(np.int64) << CODE_BITS + 1 | self.start
        key |= self.crossed.astype(np.int64) << CODE_BITS
        area, start, end, crossed = self.take(np.argsort(key))
        begins = np.ones(len(area), np.bool_)
        begins[1:] = (start[1:] != end[:-1]) | (area[1:] != area[:-1]) | (crossed[1:] != crossed[:-1])
        ends = np.append(begins[1:], [True])[: len(area)]
        return type(self)(area[begins], start[begins], end[ends], crossed[begins])


def cover_of(area: NDArray[np.intp], cells: Cells, crossed: bool) -> Cover:
    """Cells of areas as ranges."""
    start, end = cells.codes()
    return Cover(area.astype(np.int32), start, end, np.full(len(start), crossed))
