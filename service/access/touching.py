"""What a request touches, and whether its caller may: by the tags of trackers and geofence collections."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from service.access.caller import Caller
from service.access.refusals import Forbidden
from service.access.rules import Found, Kind, Named
from service.errors import NotFound
from service.store.reading.collections import collection_named
from service.store.reading.trackers import tracker_named

_ARN: Final = re.compile(r"arn:[^:]+:geo:[^:]*:(\d{12}):(tracker|geofence-collection)/(.+)", re.ASCII)
_KINDS: Final = {"tracker": Kind.TRACKER, "geofence-collection": Kind.COLLECTION}

Thing = tuple[Kind, str]


def touched(found: Found, query: str, defaults: Mapping[Kind, str], account_id: str) -> list[Thing]:
    """Trackers and collections that a request names, by kind and name.

    Raises Forbidden for an ARN of another account. What is no ARN of ours is left to who checks the request.
    """
    return list(_touched(found, query, defaults, account_id))


def check_touched(connection: Connection, caller: Caller, things: Iterable[Thing]) -> None:
    """Raises Forbidden where one of them lacks a tag of the caller's, or is not there."""
    if not caller.tags:
        return
    for kind, name in things:
        if not caller.may_touch(_tags(connection, kind, name)):
            asked = ", ".join(f"{tag}={value}" for tag, value in sorted(caller.tags.items()))
            raise Forbidden(f"{caller.name} may touch what is tagged {asked} only: not {kind.value} {name!r}")


class Tagged(Protocol):
    """A row of a list: what it is tagged with, and the number that it is ordered by."""

    @property
    def key(self) -> int: ...

    @property
    def tags(self) -> Mapping[str, str]: ...


Row = TypeVar("Row", bound=Tagged)


def visible(
    caller: Caller, rows_after: Callable[[int, int], Sequence[Row]], after: int, limit: int
) -> Sequence[Row]:
    """Of a list, the first rows after a number that the caller may touch; `rows_after` gives some of all."""
    if not caller.tags:
        return rows_after(after, limit)
    found: list[Row] = []
    while len(found) < limit:
        rows = rows_after(after, limit)
        found += [row for row in rows if caller.may_touch(row.tags)]
        if len(rows) < limit:
            break
        after = rows[-1].key
    return found[:limit]


def _touched(found: Found, query: str, defaults: Mapping[Kind, str], account_id: str) -> Iterator[Thing]:
    for touch in found.rule.touches:
        if touch.named is Named.BY_ARN:
            arn = _ARN.fullmatch(found.parameters[touch.parameter])
            if arn is None:
                continue
            if arn[1] != account_id:
                raise Forbidden(f"{arn[0]} is of another account than {account_id}")
            yield _KINDS[arn[2]], arn[3]
            continue
        assert touch.kind is not None  # noqa: S101 - only an ARN may be of either
        if touch.named is Named.IN_PATH:
            yield touch.kind, found.parameters[touch.parameter]
            continue
        pairs = parse_qsl(query, keep_blank_values=True) if touch.named is Named.IN_QUERY else ()
        named = [value for name, value in pairs if name == touch.parameter]
        for name in named or [defaults[touch.kind]]:
            yield touch.kind, name


def _tags(connection: Connection, kind: Kind, name: str) -> Mapping[str, str]:
    """Of what is not there, none: who has tags learns by it nothing of what others have."""
    try:
        if kind is Kind.TRACKER:
            return tracker_named(connection, name).tags
        return collection_named(connection, name).tags
    except NotFound:
        return {}
