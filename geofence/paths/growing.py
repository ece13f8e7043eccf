"""Columns to which rows are added at the end."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """A column that grows. Its capacity doubles, so that a row costs the same however many there are."""

    def __init__(self, kind: Any) -> None:
        self._rows: NDArray[Any] = np.empty(0, kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[Any]:
        """All that was added: a view, until more is."""
        return self._rows[: self._count]

    def add(self, rows: NDArray[Any]) -> None:
        """Add rows at the end."""
        end = self._count + len(rows)
        if end > len(self._rows):
            longer = np.empty(max(end, 2 * len(self._rows)), self._rows.dtype)
            longer[: self._count] = self.rows
            self._rows = longer
        self._rows[self._count : end] = rows
        self._count = end
