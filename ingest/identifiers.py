r"""Ids of devices and geofences: 1 to 100 of `[-._\p{L}\p{N}]`."""

import re
from functools import lru_cache
from typing import TypeGuard

LONGEST = 100
"""Characters of the longest id."""

EXPECTED = "expected 1 to 100 letters, digits, '-', '.' or '_'"

_IDENTIFIER = re.compile(r"[-.\w]{1,100}")
r"""Python's `\w` is `[\p{L}\p{N}_]` exactly; a test compares them over all of Unicode."""


def is_identifier(value: object) -> TypeGuard[str]:
    """Whether this can be the id of a device or geofence."""
    return type(value) is str and len(value) <= LONGEST and _matches(value)


@lru_cache(maxsize=16_384)
def _matches(text: str) -> bool:
    return _IDENTIFIER.fullmatch(text) is not None
