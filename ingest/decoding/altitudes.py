"""The altitude that a device reports: the property `altitude`, if it is a number."""

from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


def altitude_of(reported: object) -> float:
    """Metres above mean sea level; NaN where there is none, or what is reported is no number."""
    return float(reported) if type(reported) is float or type(reported) is int else nan


def altitudes_of(reported: Sequence[object]) -> NDArray[np.float64]:
    """`altitude_of` each, as a column."""
    if set(map(type, reported)) <= {float}:
        return np.array(reported, np.float64)
    return np.array(list(map(altitude_of, reported)), np.float64)


def altitudes_among(properties: Iterable[str]) -> NDArray[np.float64]:
    """The altitude that each of these texts of properties (see `properties.canonical`) holds, as it came."""
    return altitudes_of([_DECODER.decode(text).altitude if text else None for text in properties])


class _Properties(msgspec.Struct, gc=False):
    altitude: Any = None  # any JSON


_DECODER = msgspec.json.Decoder(_Properties)
