"""Fixes by properties that their device reports, such as its callsign."""

from collections.abc import Mapping, Sequence

import msgspec

from geofence.conditions.pattern_filter import PatternFilter

LONGEST = 100
"""Characters of a text that patterns are tried on; a longer one matches none."""

REMEMBERED = 1000
"""Texts whose answer is kept, of each property that is asked for: they may change from fix to fix."""

Reported = Mapping[str, msgspec.Raw]
"""The properties of one fix by name."""

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])


def reported(properties: str) -> Reported:
    """Those in the text of a JSON object, '' where there are none."""
    return _DECODER.decode(properties) if properties else {}


class PropertyFilter:
    """Names of properties, each with the patterns of which one must match its text.

    The text of a boolean is its JSON, that of a number the shortest: 225.0 and 2.25e2 are 225, 0.50 is 0.5.
    Arrays, objects and null have none, nor has what is not reported: these match nothing.
    """

    def __init__(self, asked: Sequence[tuple[str, Sequence[str]]]) -> None:
        self._filters = [(name, PatternFilter(patterns, REMEMBERED)) for name, patterns in asked]

    def takes(self, properties: Reported) -> bool:
        """Whether each of the properties asked for is reported, and its text is taken."""
        for name, pattern_filter in self._filters:
            text = _text(properties.get(name))
            if text is None or len(text) > LONGEST or not pattern_filter.takes(text):
                return False
        return True


def _text(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    json = bytes(value)
    if json.startswith(b'"'):
        return msgspec.json.decode(json, type=str)
    if json.startswith((b"{", b"[", b"n")):
        return None
    if json.startswith((b"t", b"f")) or json.lstrip(b"-").isdigit():
        return json.decode()
    return _number(float(json))


WHOLE_BELOW = 1 << 53
"""Doubles beyond are all whole, and not exactly what was sent."""


def _number(value: float) -> str:
    whole = value.is_integer() and abs(value) < WHOLE_BELOW
    return str(int(value) if whole else value)
