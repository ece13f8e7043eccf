"""The two kernels: who does the loops over positions, numpy or what is written in C (`compiled/`).

They find the same, bit for bit. The compiled one is built with the wheel where a C compiler is; where it is
not there numpy serves, and nothing else changes.
"""

import importlib
from dataclasses import dataclass
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray


class Library(Protocol):
    """What is written in C. Takes columns, checks them, and answers bytes of columns."""

    def numbered_fixes(self, *columns: NDArray[np.generic]) -> tuple[bytearray, ...]:
        """See `evaluation.compiled_stage.numbered`."""

    def changes_at_fixes(self, *columns: NDArray[np.generic]) -> tuple[bytearray, ...]:
        """See `evaluation.compiled_stage.changes`."""

    def look_up(self, *columns: NDArray[np.generic]) -> tuple[bytearray, ...]:
        """See `cells.compiled_cells`."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Numpy, or a library in its place."""

    name: str
    library: Library | None = None


def chosen(kernel: Kernel | None) -> Kernel:
    """This kernel, or where none is named the best that is there."""
    return BEST if kernel is None else kernel


def _compiled() -> Kernel | None:
    try:
        library = importlib.import_module("geofence.compiled.library")
    except ImportError:
        return None
    return Kernel("compiled", cast(Library, library))


NUMPY: Final = Kernel("numpy")
COMPILED: Final = _compiled()
"""None if it was not built, or not for this machine."""

PRESENT: Final = (NUMPY,) if COMPILED is None else (NUMPY, COMPILED)

BEST: Final = PRESENT[-1]
