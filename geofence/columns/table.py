"""Tables: columns of one length, of which the values at one index belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Table:
    """n rows. The fields of a class that extends it are its columns, arrays of length n, and nothing else."""

    def __len__(self) -> int:
        return len(self.columns()[0])

    def columns(self) -> list[NDArray[Any]]:
        """All of them, one after the other."""
        return [getattr(self, column.name) for column in fields(self)]

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Self:
        """The rows at `index`: numbers, a mask of length n, or a slice."""
        return type(self)(*(column[index] for column in self.columns()))

    def put(self, index: NDArray[np.integer] | NDArray[np.bool_], rows: Self) -> None:
        """Has these rows at `index` from now on."""
        for column, values in zip(self.columns(), rows.columns(), strict=True):
            column[index] = values

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, of which there is one at least, part after part."""
        return cls(*map(np.concatenate, zip(*(part.columns() for part in parts), strict=True)))
