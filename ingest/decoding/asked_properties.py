"""The few properties of positions that geofences ask for, where nothing else of the properties is kept.

Geofences ask for texts, numbers and booleans; other values are as good as absent.
"""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.decoding.properties import canonical_text

MEMBERS = frozenset(["deviceId", "timestamp", "latitude", "longitude", "accuracy"])
"""Of a position, but no properties."""

REMEMBERED = 100_000
"""Combinations of values whose text is kept: so equal texts are one object."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class AskedProperties:
    """Properties of these names."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(sorted(set(names) - MEMBERS))
        self._texts: dict[tuple[bytes, ...], str] = {}

    def __len__(self) -> int:
        return len(self._names)

    def of_lines(self, chunk: bytes) -> NDArray[np.object_]:
        """`text` of the object that each of these lines is known to be."""
        return self.texts(_MEMBERS.decode_lines(chunk))

    def of_properties(self, text: str) -> str:
        """`text` of properties in their canonical text, '' where there are none."""
        return self.text(_MEMBERS.decode(text)) if text else ""

    def texts(self, members: Iterable[Mapping[str, msgspec.Raw]]) -> NDArray[np.object_]:
        """`text` of each, as a column."""
        return np.array(list(map(self.text, members)), np.object_)

    def text(self, members: Mapping[str, msgspec.Raw]) -> str:
        """What is asked for among members of an object, in canonical form; '' where there is none of it."""
        values = tuple(bytes(members.get(name, b"")) for name in self._names)
        text = self._texts.get(values)
        if text is None:
            if len(self._texts) >= REMEMBERED:
                self._texts.clear()
            self._texts[values] = text = self._made(values)
        return text

    def _made(self, values: tuple[bytes, ...]) -> str:
        decoded = {name: _scalar(value) for name, value in zip(self._names, values, strict=True)}
        asked = {name: value for name, value in decoded.items() if value is not None}
        return canonical_text(asked) if asked else ""


def _scalar(value: bytes) -> object:
    """A text, number or boolean; None where there is none, also for what no position could have."""
    if value.startswith((b"{", b"[")) or not value:
        return None
    try:
        return msgspec.json.decode(value)
    except ValueError:
        return None
