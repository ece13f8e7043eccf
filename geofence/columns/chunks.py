"""Columns in parts, so that what is made of each part stays small."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def chunks(weights: NDArray[np.integer], most: int) -> Iterator[slice]:
    """Runs of neighbours that weigh about as much together as is wanted at most, or a single one."""
    total = np.cumsum(weights)
    start = 0
    while start < len(weights):
        before = total[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(total, before + most, side="right")))
        yield slice(start, end)
        start = end
