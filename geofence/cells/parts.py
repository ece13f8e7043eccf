"""Parts: where among the leaves to look for a code, so that few are looked for among all of them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofence.cells.grid import CODE_BITS, Integers
from geofence.columns.ranges import ranges

PARTS_BITS, MOST_BITS = 12, 20
"""Of codes: in so many equal parts they are looked for, and each again in so many at most."""

SHIFT = CODE_BITS - PARTS_BITS
WITHIN = (1 << SHIFT) - 1


class Parts(NamedTuple):
    """Equal parts of all codes, each divided into as many again as it has leaves, or more: powers of two.

    `first` says where the smaller parts of each begin, and where the last one's end; `leaf` in which leaf
    each smaller part begins, with the last leaf behind them.
    """

    first: NDArray[np.int32]
    leaf: NDArray[np.int32]

    @classmethod
    def of(cls, start: Integers) -> Self:
        """For leaves that begin at these codes, ascending from 0."""
        part = np.arange((1 << PARTS_BITS) + 1) << SHIFT
        leaves = np.diff(np.searchsorted(start, part))
        bits = np.minimum(np.frexp(leaves.astype(np.float64))[1], MOST_BITS).astype(np.int64)
        count = np.int64(1) << bits
        within = ranges(np.zeros(len(count), np.int64), count) << np.repeat(SHIFT - bits, count)
        code = np.append(np.repeat(part[:-1], count) + within, part[-1])
        leaf = np.searchsorted(start, code, side="right") - 1
        return cls(np.concatenate([[0], np.cumsum(count)]).astype(np.int32), leaf.astype(np.int32))

    def leaves(self, start: Integers, code: Integers) -> NDArray[np.int32]:
        """The leaf of each code: mostly the one in which its smaller part begins."""
        part = code >> SHIFT
        first = self.first[part]
        leaf: NDArray[np.int32] = self.leaf[
            first + ((code & WITHIN) * (self.first[part + 1] - first) >> SHIFT)
        ]
        later = np.flatnonzero(start[np.minimum(leaf + 1, len(start) - 1)] <= code)
        leaf[later] = np.searchsorted(start, code[later], side="right") - 1
        return leaf
