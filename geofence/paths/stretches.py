"""Stretches of paths that are inside of something, and the changes that they come to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.earth.ellipsoid import Column
from geofence.paths.paths import Numbers

Short = Callable[[Numbers, Column, Column], NDArray[np.bool_]]
"""Whether the part of a path, by its number, between two shares is too short to be told of."""


@dataclass(frozen=True, slots=True)
class Stretches(Table):
    """From a share to another of what has this number, and inside all the way."""

    of: Numbers
    start: Column
    end: Column

    @classmethod
    def between(cls, begins_inside: NDArray[np.bool_], of: Numbers, share: Column) -> Self:
        """Of n that begin inside or not, and change that at these shares, each beside its number."""
        count = len(begins_inside)
        of = np.concatenate([np.arange(count), of])
        share = np.concatenate([np.zeros(count), share])
        order = np.lexsort((share, of))  # which is stable: of n zeros, those of the beginnings come first
        of, share = of[order], share[order]
        place = np.arange(len(of))
        first = np.searchsorted(of, np.arange(count))[of]
        inside = np.flatnonzero(begins_inside[of] ^ ((place - first) % 2 == 1))
        ends = np.append(share[1:], 1.0)
        ends[np.append(of[1:] != of[:-1], True)] = 1.0
        return cls(of[inside], share[inside], ends[inside])

    def of_others(self, other: Numbers) -> Self:
        """The same stretches, of what has the number that `other` has in its place."""
        return type(self)(other[self.of], self.start, self.end)

    def within_all(self, sets: int) -> Self:
        """Where as many of these meet: what is in each of so many sets of stretches that do not overlap."""
        of, share, depth = self._depths()
        begins = np.flatnonzero(depth == sets)
        kept = begins[share[begins] < share[np.minimum(begins + 1, len(share) - 1)]]
        return type(self)(of[kept], share[kept], share[kept + 1])

    def united(self) -> Self:
        """The same, by number and start, without those that touch or overlap."""
        of, share, depth = self._depths()
        closing = np.flatnonzero(depth == 0)
        opening = np.append(0, closing[:-1] + 1)[: len(closing)]
        return type(self)(of[opening], share[opening], share[closing])

    def _depths(self) -> tuple[Numbers, Column, Numbers]:
        """Where stretches start and end, by number and share, and how many there are from there on."""
        of, share = np.concatenate([self.of, self.of]), np.concatenate([self.start, self.end])
        opens = np.repeat(np.array([1, -1]), len(self.of))
        order = np.lexsort((-opens, share, of))
        return of[order], share[order], np.cumsum(opens[order])


@dataclass(frozen=True, slots=True)
class Inside:
    """Whether each of n paths begins and ends inside, and its stretches inside between."""

    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    stretches: Stretches


@dataclass(frozen=True, slots=True)
class Changed(Table):
    """Where paths, by their numbers, come in and go out: by number, then share, in turn."""

    of: Numbers
    share: Column
    entering: NDArray[np.bool_]

    def in_order(self) -> Self:
        """By `of`, then share."""
        return self.take(np.lexsort((self.share, self.of)))


def changes(inside: Inside, short: Short) -> Changed:
    """Where each of n paths comes in and goes out.

    Short visits and absences are left out; a visit that began before, or goes on behind, is none of them.
    """
    begins, ends = inside.begins, inside.ends
    anchors = [
        Stretches(number, np.full(len(number), at), np.full(len(number), at))
        for at, number in ((0.0, np.flatnonzero(begins)), (1.0, np.flatnonzero(ends)))
    ]
    found = Stretches.joined([inside.stretches, *anchors]).united()
    apart = found.of[1:] != found.of[:-1]
    apart |= ~short(found.of[:-1], found.end[:-1], found.start[1:])
    first, last = (np.ones(len(found.of), np.bool_) for _ in range(2))
    first[1:], last[:-1] = apart, apart
    found = Stretches(found.of[first], found.start[first], found.end[last])
    enters = ~(begins[found.of] & (found.start == 0))
    leaves = ~(ends[found.of] & (found.end == 1))
    left_out = enters & leaves & short(found.of, found.start, found.end)
    enters, leaves = enters & ~left_out, leaves & ~left_out
    number = np.concatenate([found.of[enters], found.of[leaves]])
    share = np.concatenate([found.start[enters], found.end[leaves]])
    entering = np.arange(len(number)) < np.count_nonzero(enters)
    order = np.lexsort((~entering, share, number))
    return Changed(number[order], share[order], entering[order])
