"""What a request may say in its path and query; anything else is refused, as is a name given twice."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from ingest import timestamps
from service.errors import Refused
from service.store.reading.devices import BoundingBox

IDENTIFIER = r"^[-._\p{L}\p{N}]{1,100}$"
MOST_ROWS = 1000

Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
Watcher = Annotated[str, StringConstraints(pattern=rf"^(~[0-9]{{1,19}}|{IDENTIFIER[1:-1]})$")]
"""A tracker, or what is in its place where devices are compared with a collection without one."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


def once_each(request: Request) -> None:
    """Raises Refused where a query gives a parameter twice: one of them would not count."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise Refused(f"{', '.join(twice)}: given more than once")


class NoParameters(BaseModel):
    """A query that says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListParameters(NoParameters):
    """Which page of a list."""

    limit: int = Field(100, ge=1, le=MOST_ROWS, description="the most that one page holds")
    cursor: str | None = Field(
        None, description="`nextCursor` or `resumeCursor` of an earlier page of this same list"
    )


class OfTracker(NoParameters):
    """Which tracker."""

    tracker: Watcher | None = Field(
        None,
        description="name of the tracker; OVERFLY_TRACKER, else `default`, when not given. `~` and a number, "
        "as events have it, for devices that are compared with a collection without a tracker",
    )


class OfCollection(NoParameters):
    """Which geofence collection."""

    collection: Identifier = Field("default", description="name of the geofence collection")


def _refusing(judge: Callable[[str], object], expected: str) -> Callable[[str], object]:
    def validate(text: str) -> object:
        value = judge(text)
        if value is None:
            raise ValueError(f"{text!r}: {expected}")
        return value

    return validate


def _milliseconds(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        return timestamps.milliseconds(float(text) if any(mark in text for mark in ".eE") else int(text))
    return timestamps.milliseconds(text)


def _box(text: str) -> BoundingBox | None:
    parts = text.split(",")
    if len(parts) != 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    box = BoundingBox(*map(float, parts))
    longitudes_are = -180 <= box.west <= 180 and -180 <= box.east <= 180
    return box if longitudes_are and -90 <= box.south <= box.north <= 90 else None


Moment = Annotated[
    int,
    BeforeValidator(_refusing(_milliseconds, f"{timestamps.EXPECTED}; '+' in a URL is written %2B")),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2018-08-01T05:00:00Z"]}),
]
"""A time, as messages may give it; milliseconds since the epoch."""

Box = Annotated[
    BoundingBox,
    BeforeValidator(_refusing(_box, "expected west,south,east,north in degrees, south not above north")),
    WithJsonSchema({"type": "string", "examples": ["5.9,45.8,10.5,47.8"]}),
]
"""An area, as `west,south,east,north`."""


def named(what: str) -> Any:
    """A path's parameter that is an id or a name."""
    return Path(pattern=IDENTIFIER, description=what)


DeviceId = Annotated[str, named("id of the device")]
GeofenceId = Annotated[str, named("id of the geofence")]
TrackerName = Annotated[str, named("name of the tracker")]
CollectionName = Annotated[str, named("name of the geofence collection")]
