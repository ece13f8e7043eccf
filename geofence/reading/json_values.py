"""Values of a GeoJSON document: read one at a time, and shown in what is said of them."""

import math
import sys

import msgspec


class _Unreadable:
    pass


UNREADABLE = _Unreadable()

ABSENT = msgspec.Raw(b"null")
"""A member that is not there: null is as good."""


def value_of(raw: msgspec.Raw) -> object:
    """Any value, or UNREADABLE."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return UNREADABLE


def number_of(value: object) -> float | None:
    """A value that is a number which a double can hold, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def shown(value: object) -> str:
    """A value in an error: as JSON, and not too long."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = "unreadable" if value is UNREADABLE else msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:117]}..."
