"""Runs of numbers, many at once, and numbers without their repetitions."""

import numpy as np
from numpy.typing import NDArray


def ranges(first: NDArray[np.integer], count: NDArray[np.integer]) -> NDArray[np.int64]:
    """first, first + 1, ..., as many as `count` says, of each of n pairs, one after the other."""
    ends = np.cumsum(count, dtype=np.int64)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - count), count)


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each number once, ascending; sorts `numbers`. numpy.unique hashes first, which is ten times slower."""
    numbers.sort()
    first = np.ones(len(numbers), np.bool_)
    first[1:] = numbers[1:] != numbers[:-1]
    return numbers[first]
