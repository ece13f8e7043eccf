"""The paths of this face."""

from typing import Final

from starlette.types import Scope

PREFIXES: Final = (
    *(b"/tracking/", b"/geofencing/", b"/tags/"),
    *(b"/maps/v0/", b"/metadata/v0/", b"/places/v0/", b"/routes/v0/"),
)
"""What they begin with; the latter have no operation here, and Amazon's clients are told so."""


def is_location(scope: Scope) -> bool:
    """Whether a request is for this face."""
    raw: bytes = scope.get("raw_path", b"")
    return raw.startswith(PREFIXES)
