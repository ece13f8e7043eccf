"""Which numbers are among others."""

import numpy as np
from numpy.typing import NDArray


def among(numbers: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each number, whether it is among those. `np.isin` does not ask for order, and takes longer."""
    place = np.searchsorted(ascending, numbers)
    there: NDArray[np.bool_] = place < len(ascending)
    there[there] = ascending[place[there]] == numbers[there]
    return there
