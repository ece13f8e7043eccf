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
    """Properties of these names.

    `texts` gives what is asked for by the JSON of its values, b'' where there is none, with a line end
    between two; no line has one.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = tuple(sorted(set(names) - MEMBERS))
        self.texts: dict[bytes, str] = _Texts(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def of_lines(self, chunk: bytes) -> NDArray[np.object_]:
        """`text` of the object that each of these lines is known to be."""
        return np.array(list(map(self.text, _MEMBERS.decode_lines(chunk))), np.object_)

    def of_properties(self, text: str) -> str:
        """`text` of properties in their canonical text, '' where there are none."""
        return self.text(_MEMBERS.decode(text)) if text else ""

    def text(self, members: Mapping[str, msgspec.Raw]) -> str:
        """What is asked for among members of an object, in canonical form; '' where there is none of it."""
        return self.texts[b"\n".join([members.get(name, b"") for name in self.names])]


class _Texts(dict[bytes, str]):
    """The text of values lately seen, in canonical form; '' where there is none."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, values: bytes) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        of_names = values.split(b"\n") if self._names else []
        decoded = {name: _scalar(value) for name, value in zip(self._names, of_names, strict=True)}
        asked = {name: value for name, value in decoded.items() if value is not None}
        self[values] = text = canonical_text(asked) if asked else ""
        return text


def _scalar(value: bytes) -> object:
    """A text, number or boolean; None where there is none, also for what no position could have."""
    if value.startswith((b"{", b"[")) or not value:
        return None
    try:
        return msgspec.json.decode(value)
    except ValueError:
        return None
