"""Stretches of paths that are inside of something, and the crossings that they come to."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.ellipsoid import Column
from geofence.paths.paths import Numbers, Paths

SHORTEST = 1e-3
"""Metres along the path: shorter visits and absences are left out."""


@dataclass(frozen=True, slots=True)
class Stretches:
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

    @classmethod
    def joined(cls, parts: "list[Self]") -> Self:
        """All of them, part after part."""
        columns = (np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls))
        return cls(*columns)

    def of_others(self, other: Numbers) -> Self:
        """The same stretches, of what has the number that `other` has in its place."""
        return type(self)(other[self.of], self.start, self.end)

    def united(self) -> Self:
        """The same, by number and start, without those that touch or overlap."""
        count = len(self.of)
        of, share = np.concatenate([self.of, self.of]), np.concatenate([self.start, self.end])
        opens = np.repeat(np.array([1, -1]), count)
        order = np.lexsort((-opens, share, of))
        depth = np.cumsum(opens[order])
        closing = np.flatnonzero(depth == 0)
        opening = np.append(0, closing[:-1] + 1)[: len(closing)]
        return type(self)(of[order][opening], share[order][opening], share[order][closing])


def changes(
    paths: Paths, begins: NDArray[np.bool_], ends: NDArray[np.bool_], stretches: Stretches
) -> tuple[Numbers, Column, NDArray[np.bool_]]:
    """Where each path enters and leaves, by path, then share: numbers of paths, shares, entering.

    `begins` and `ends` say whether it begins inside and ends inside, `stretches` are those inside between.
    A visit that began before the path, or goes on behind it, is never too short.
    """
    for at, anchored in ((0.0, begins), (1.0, ends)):
        number = np.flatnonzero(anchored)
        anchor = Stretches(number, np.full(len(number), at), np.full(len(number), at))
        stretches = Stretches.joined([stretches, anchor])
    found = stretches.united()
    follows = found.of[1:] == found.of[:-1]
    absence = _metres(paths, found.of[:-1], found.end[:-1], found.start[1:])
    apart = ~follows | (absence >= SHORTEST)
    first, last = np.append(True, apart)[: len(found.of)], np.append(apart, True)[: len(found.of)]
    found = Stretches(found.of[first], found.start[first], found.end[last])
    enters = ~(begins[found.of] & (found.start == 0))
    leaves = ~(ends[found.of] & (found.end == 1))
    kept = ~enters | ~leaves | (_metres(paths, found.of, found.start, found.end) >= SHORTEST)
    enters, leaves = enters & kept, leaves & kept
    path = np.concatenate([found.of[enters], found.of[leaves]])
    share = np.concatenate([found.start[enters], found.end[leaves]])
    entering = np.arange(len(path)) < np.count_nonzero(enters)
    order = np.lexsort((~entering, share, path))
    return path[order], share[order], entering[order]


def _metres(paths: Paths, path: Numbers, start: Column, end: Column) -> Column:
    """How long the part of a path between two shares is: its length where it is a millimetre."""
    return (end - start) * np.hypot(*paths.edges().take(path).velocity((start + end) / 2))
