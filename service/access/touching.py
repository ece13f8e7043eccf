"""What a request touches, and whether its caller may: by the tags of trackers and geofence collections."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from service.access.caller import Caller
from service.access.refusals import Forbidden
from service.access.rules import Found, Kind, Named
from service.errors import NotFound
from service.location.arns import COLLECTION, TRACKER, read_arn
from service.store.reading.collections import collection_named
from service.store.reading.trackers import tracker_named

_KINDS: Final = {TRACKER: Kind.TRACKER, COLLECTION: Kind.COLLECTION}

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
            what = f"what is tagged {_shown(caller)} only: not {kind.value} {name!r}"
            raise Forbidden(f"{caller.name} may touch {what}")


def check_arn(caller: Caller, arn: str) -> None:
    """Raises Forbidden for an ARN of another account than the caller's. What is no ARN is not our matter."""
    read = read_arn(arn)
    if read is not None:
        _check_account(arn, read.account, caller.account_id)


def check_new(caller: Caller, tags: Mapping[str, str]) -> None:
    """Raises Forbidden where a caller with tags makes what has others, which it could not touch then."""
    if not caller.may_touch(tags):
        raise Forbidden(f"{caller.name} may make only what has its tags: {_shown(caller)}")


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
            arn = found.parameters[touch.parameter]
            read = read_arn(arn)
            if read is not None:
                _check_account(arn, read.account, account_id)
                yield _KINDS[read.kind], read.name
            continue
        assert touch.kind is not None  # noqa: S101 - only an ARN may be of either
        if touch.named is Named.IN_PATH:
            yield touch.kind, found.parameters[touch.parameter]
            continue
        pairs = parse_qsl(query, keep_blank_values=True) if touch.named is Named.IN_QUERY else ()
        named = [value for name, value in pairs if name == touch.parameter]
        for name in named or [defaults[touch.kind]]:
            yield touch.kind, name


def _check_account(arn: str, account_id: str, ours: str) -> None:
    if account_id != ours:
        raise Forbidden(f"{arn} is of another account than {ours}")


def _shown(caller: Caller) -> str:
    return ", ".join(f"{tag}={value}" for tag, value in sorted(caller.tags.items()))


def _tags(connection: Connection, kind: Kind, name: str) -> Mapping[str, str]:
    """Of what is not there, none: who has tags learns by it nothing of what others have."""
    try:
        if kind is Kind.TRACKER:
            return tracker_named(connection, name).tags
        return collection_named(connection, name).tags
    except NotFound:
        return {}
