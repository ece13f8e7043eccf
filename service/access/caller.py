"""Who calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a caller may do: ask; send positions and change geofences; everything."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


ALL: Final = frozenset(Scope)

IN_SCOPE: Final = "overfly.caller"
"""Where the Caller is in the ASGI scope of a request."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is what the audit calls it, `identity` whose requests count together.

    `tags`: what a tracker or a collection must have, each with this value, for the caller to touch it;
    without tags it may touch all. `rate_limit`: requests a second, None for the usual.
    """

    name: str
    identity: str
    account_id: str
    scopes: frozenset[Scope]
    tags: Mapping[str, str] = field(default_factory=dict)
    rate_limit: float | None = None

    def may(self, scope: Scope) -> bool:
        """ADMIN includes the others; READ and WRITE do not include each other."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def may_touch(self, tags: Mapping[str, str]) -> bool:
        """Whether what has these tags is its to see and to change."""
        return all(tags.get(name) == value for name, value in self.tags.items())


def local_caller(account_id: str) -> Caller:
    """Who calls from this machine, where nobody is asked who they are."""
    return Caller("local", "local", account_id, ALL)
