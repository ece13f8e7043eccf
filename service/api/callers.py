"""Who calls, as a route asks it."""

from typing import Annotated

from fastapi import Depends, Request

from service.access.caller import IN_SCOPE, Caller, local_caller

NOBODY_ASKED = local_caller("000000000000")
"""Where no gate stands before the app."""


def _caller(request: Request) -> Caller:
    caller = request.scope.get(IN_SCOPE, NOBODY_ASKED)
    assert isinstance(caller, Caller)  # noqa: S101 - narrows the type; strangers come to `_perhaps` only
    return caller


def _perhaps(request: Request) -> Caller | None:
    caller = request.scope.get(IN_SCOPE, NOBODY_ASKED)
    return caller if isinstance(caller, Caller) else None


TheCaller = Annotated[Caller, Depends(_caller)]
"""The parameter by which a route knows who calls."""

PerhapsCaller = Annotated[Caller | None, Depends(_perhaps)]
"""None for a stranger."""
