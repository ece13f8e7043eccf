"""What a position carries beside its own members: any JSON, kept as canonical text.

Canonical: members sorted by name, no spaces, the shortest form of each number. So equal properties are
equal texts, whatever the order in which a device wrote them.
"""

import re

import msgspec

from ingest.decoding.faults import Fault

_ENCODER = msgspec.json.Encoder(order="sorted")

_DIGITS_OF_A_DOUBLE = 309
"""An integer of fewer digits fits a double."""

_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_BRACKETS = re.compile(_TEXT + rb"|[\[\]{}]")
_LONG_INTEGERS = re.compile(_TEXT + rb"|[0-9]{309,}")


def canonical(members: dict[str, object], property_bytes: int, depth: int) -> str:
    """The text of these properties, '' where there are none. Null members count as absent.

    Raises Fault: too_large, too_deep, bad_number.
    """
    if None in members.values():
        members = {name: value for name, value in members.items() if value is not None}
    if not members:
        return ""
    try:
        text = _ENCODER.encode(members)
    except RecursionError:
        raise Fault("too_deep", "properties", f"expected at most {depth} levels") from None
    if len(text) > property_bytes:
        raise Fault(
            "too_large",
            f"properties of {len(text):,} bytes",
            f"expected up to {property_bytes:,} bytes beside the position",
        )
    if text.count(b"[") + text.count(b"{") > depth and nesting(text) > depth:
        raise Fault("too_deep", f"properties nested {nesting(text)} deep", f"expected at most {depth} levels")
    if len(text) > _DIGITS_OF_A_DOUBLE:
        _refuse_integers_beyond_doubles(text)
    return text.decode()


def canonical_text(members: dict[str, object]) -> str:
    """The text of members that no limit can refuse."""
    return _ENCODER.encode(members).decode()


def nesting(text: bytes) -> int:
    """How many arrays and objects are open at once at most in this JSON."""
    level = deepest = 0
    for bracket in _BRACKETS.findall(text):
        if bracket in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif bracket in b"]}":
            level -= 1
    return deepest


def _refuse_integers_beyond_doubles(text: bytes) -> None:
    """Receivers read numbers as doubles; an integer that becomes infinite there is none."""
    for found in _LONG_INTEGERS.findall(text):
        if not found.startswith(b'"') and float(found) == float("inf"):
            raise Fault(
                "bad_number",
                f"an integer of {len(found):,} digits among the properties",
                "expected a number that a double can hold",
            )
