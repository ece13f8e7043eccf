"""The paths of this face."""

from typing import Final

from starlette.types import Scope

PREFIXES: Final = (b"/tracking/v0/", b"/geofencing/v0/", b"/tags/")
"""What they begin with."""


def is_location(scope: Scope) -> bool:
    """Whether a request is for this face."""
    raw: bytes = scope.get("raw_path", b"")
    return raw.startswith(PREFIXES)
