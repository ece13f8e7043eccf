"""Leaves: all covers laid over one another, as ranges of codes in which the same areas are listed."""

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.cells.cover import Cover
from geofence.cells.grid import Integers
from geofence.cells.parts import Parts
from geofence.columns.chunks import chunks
from geofence.columns.ranges import distinct, ranges

Numbers = NDArray[np.int64]
Listed = tuple[Numbers, Numbers]
"""Numbers of positions, and beside each the number of an area."""

Named = Callable[[Numbers, Integers], Numbers]
"""What is listed in the place of areas, each beside the first code of a leaf that its boundary crosses."""

CROSSED = 1 << 31
LISTED = CROSSED - 1
PAIRS_AT_ONCE = 1 << 21
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
        self.parts = Parts.of(start)

    @classmethod
    def of(cls, cover: Cover, most_bytes: int, named: Named | None = None) -> Self | None:
        """The leaves of a cover, or None if they would need more memory than that.

        Where `named` is given, what it says is listed in the place of areas whose boundary crosses a leaf.
        """
        start = distinct(np.concatenate([np.zeros(1, np.int64), cover.start, cover.end]))
        first, end = _places(start, cover)
        crosses = cover.crossed
        pairs = _in_each(first, end, len(start))
        whole = np.concatenate([[0], np.cumsum(pairs)])
        if BYTES_A_LEAF * len(start) + BYTES_A_PAIR * int(whole[-1]) > most_bytes:
            return None
        listed = np.empty(whole[-1], np.int32)
        for some in chunks(pairs, PAIRS_AT_ONCE):
            row, leaf = _within(first, end, some)
            listed[whole[some.start] : whole[some.stop]] = _listed(cover, row, start, leaf, named)
            del row, leaf
        crossed_pairs = _in_each(first[crosses], end[crosses], len(start))
        return cls(start, whole.astype(np.int32), (whole[1:] - crossed_pairs).astype(np.int32), listed)

    def listed(self, number: Numbers, code: Integers) -> tuple[Listed, Listed]:
        """Of positions, numbered in any way and by ascending code: areas that hold them, areas that may."""
        leaf = self.parts.leaves(self.start, code)
        whole, end = self.whole[leaf], self.whole[leaf + 1]
        some = np.flatnonzero(whole != end)
        number, whole, crossed, end = number[some], whole[some], self.crossed[leaf[some]], end[some]
        return self._between(number, whole, crossed), self._between(number, crossed, end)

    def _between(self, number: Numbers, first: NDArray[np.int32], end: NDArray[np.int32]) -> Listed:
        count = end - first
        return np.repeat(number, count), self.area[ranges(first, count)].astype(np.int64)


def _listed(
    cover: Cover, row: NDArray[np.intp], start: Integers, leaf: Numbers, named: Named | None
) -> Numbers:
    """What leaves list of these ranges, by leaf: those in which all of it lies, then the crossed ones."""
    what, crossed = cover.area[row].astype(np.int64), cover.crossed[row]
    if named is not None:
        what[crossed] = named(what[crossed], start[leaf[crossed]])
    pair = leaf << 32 | np.where(crossed, CROSSED, 0) | what
    pair.sort()
    return pair & LISTED


def _places(start: Integers, cover: Cover) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of each range the leaf in which it starts and the one that follows it; looked for side by side."""
    by_start = np.argsort(cover.start)
    first, end = np.empty((2, len(by_start)), np.int32)
    first[by_start] = np.searchsorted(start, cover.start[by_start])
    end[by_start] = np.searchsorted(start, cover.end[by_start])
    return first, end


def _in_each(first: NDArray[np.int32], end: NDArray[np.int32], leaves: int) -> Integers:
    """How many of the ranges, from `first` up to `end`, each leaf is in."""
    begun, ended = (np.bincount(at, minlength=leaves + 1)[:leaves] for at in (first, end))
    return np.cumsum(begun - ended)


def _within(
    first: NDArray[np.int32], end: NDArray[np.int32], leaves: slice
) -> tuple[NDArray[np.intp], Numbers]:
    """Pairs of a range and one of these leaves that is in it."""
    row = np.flatnonzero((first < leaves.stop) & (end > leaves.start))
    since = np.maximum(first[row], leaves.start)
    count = np.minimum(end[row], leaves.stop) - since
    return np.repeat(row, count), ranges(since, count)
