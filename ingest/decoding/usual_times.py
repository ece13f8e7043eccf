"""Timestamps as most devices write them, 2018-08-01T05:00:00.000Z, read many at once.

They are laid under one another as bytes, so that each digit is a column. What is written in any other way is
left to `timestamps`; both give the same milliseconds.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

_USUAL = np.frombuffer(b"0000-00-00T00:00:00.000Z\n", np.uint8)
_LENGTH = len(_USUAL)
_MOST = np.where(ord("0") == _USUAL, 9, 0).astype(np.uint8)
_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_WEIGHTS = np.zeros((_LENGTH, 4))
"""What a digit counts for in yyyymmdd, hours, minutes, and milliseconds of the minute: doubles are faster."""

for _part, _columns in enumerate(((0, 1, 2, 3, 5, 6, 8, 9), (11, 12), (14, 15), (17, 18, 20, 21, 22))):
    _WEIGHTS[_columns, _part] = 10 ** np.arange(len(_columns))[::-1]


def usual_times(timestamps: Sequence[object]) -> NDArray[np.int64] | None:
    """Milliseconds since the epoch of each, None unless all are texts of that form and times that there are.

    Where one is longer than that and another shorter, line ends do not come in their column.
    """
    try:
        text = "\n".join(timestamps).encode() + b"\n"  # type: ignore[arg-type]  # TypeError says so
    except TypeError:
        return None
    if len(text) != _LENGTH * len(timestamps):
        return None
    digit = np.frombuffer(text, np.uint8).reshape(-1, _LENGTH) - _USUAL
    if (digit > _MOST).any():
        return None
    day, hour, minute, millisecond = (digit.astype(np.float64) @ _WEIGHTS).T.astype(np.int32)
    if (hour > 23).any() or (minute > 59).any() or (millisecond > 59_999).any():
        return None
    midnight = _midnights(day)
    return None if midnight is None else midnight + ((hour * 60 + minute) * 60_000 + millisecond)


def _midnights(day: NDArray[np.int32]) -> NDArray[np.int64] | None:
    """Milliseconds of days written as yyyymmdd; None if there is no such day."""
    if (day == day[0]).all():
        return _first_moments(day[:1])
    each, of = np.unique(day, return_inverse=True)
    found = _first_moments(each)
    return None if found is None else found[of]


def _first_moments(day: NDArray[np.int32]) -> NDArray[np.int64] | None:
    try:
        dates = [date(each // 10_000, each // 100 % 100, each % 100) for each in day.tolist()]
    except ValueError:
        return None
    return np.array([_DAY * (each.toordinal() - _EPOCH) for each in dates], np.int64)
