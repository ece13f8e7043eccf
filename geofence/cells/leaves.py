"""Leaves: all covers laid over one another, as ranges of codes in which the same areas are listed."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.cells.cover import Cover
from geofence.cells.grid import Integers
from geofence.columns.chunks import chunks
from geofence.columns.ranges import distinct, ranges

Numbers = NDArray[np.int64]
Listed = tuple[Numbers, Numbers]
"""Numbers of positions, and beside each the number of an area."""

CROSSED = 1 << 31
AREA = CROSSED - 1
PAIRS_AT_ONCE = 1 << 20
BYTES_A_LEAF, BYTES_A_PAIR = 16, 4


class Leaves:
    """Leaf i holds the codes from `start[i]` up to `start[i + 1]`.

    Its areas are those of `area` from `whole[i]` up to `crossed[i]`, in which all of it lies, and from there
    up to `whole[i + 1]`, whose boundary crosses it.
    """

    def __init__(
        self, start: Integers, whole: NDArray[np.int32], crossed: NDArray[np.int32], area: NDArray[np.int32]
    ) -> None:
        self.start, self.whole, self.crossed, self.area = start, whole, crossed, area

    @classmethod
    def of(cls, cover: Cover, most_bytes: int) -> Self | None:
        """The leaves of a cover, or None if they would need more memory than that."""
        cover = cover.take(np.argsort(cover.start))
        start = distinct(np.concatenate([np.zeros(1, np.int64), cover.start, cover.end]))
        first = np.searchsorted(start, cover.start)
        count = np.searchsorted(start, cover.end) - first
        if BYTES_A_LEAF * len(start) + BYTES_A_PAIR * int(count.sum()) > most_bytes:
            return None
        pair = _pairs(cover, first, count)
        pair.sort()
        leaf = np.arange(len(start) + 1) << 32
        area = np.empty(len(pair), np.int32)
        np.bitwise_and(pair, AREA, out=area, casting="unsafe")
        return cls(
            start,
            np.searchsorted(pair, leaf).astype(np.int32),
            np.searchsorted(pair, leaf[:-1] | CROSSED).astype(np.int32),
            area,
        )

    def listed(self, number: Numbers, code: Integers) -> tuple[Listed, Listed]:
        """Of positions, numbered in any way and by ascending code: areas that hold them, areas that may."""
        leaf = np.searchsorted(self.start, code, side="right") - 1
        whole, crossed, end = self.whole[leaf], self.crossed[leaf], self.whole[leaf + 1]
        return self._between(number, whole, crossed), self._between(number, crossed, end)

    def _between(self, number: Numbers, first: NDArray[np.int32], end: NDArray[np.int32]) -> Listed:
        count = end - first
        some = np.flatnonzero(count)
        count = count[some]
        area = self.area[ranges(first[some], count)]
        return np.repeat(number[some], count), area.astype(np.int64)


def _pairs(cover: Cover, first: Numbers, count: Numbers) -> Integers:
    """Leaf << 32 | CROSSED | area, of each leaf that is in a range and the range's area."""
    pair = np.empty(int(count.sum()), np.int64)
    filled = 0
    for rows in chunks(count, PAIRS_AT_ONCE):
        part = ranges(first[rows], count[rows]) << 32
        part |= np.repeat(cover.area[rows] | np.where(cover.crossed[rows], CROSSED, 0), count[rows])
        pair[filled : filled + len(part)] = part
        filled += len(part)
    return pair
