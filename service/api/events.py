"""Geofence events in the order in which they were committed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec import UNSET, Meta, UnsetType
from pydantic import Field

from geofence.events import EventType
from service.api.answers import Shape, answer, documented_answer
from service.api.cursors import Listing
from service.api.devices import LonLat, Time
from service.api.parameters import Identifier, ListParameters, Moment, OfTracker
from service.api.problems import documented
from service.api.services import Services
from service.store.reading.collections import collection_named
from service.store.reading.events import EventFilter, events
from service.store.reading.trackers import tracker_named

router = APIRouter(prefix="/events", tags=["events"])


class Event(Shape, frozen=True):
    """A device entered or left a geofence, or has been inside of it for as long as that asks (DWELL)."""

    event_id: Annotated[
        str,
        Meta(
            description="the same input gives the same id; an id that is seen again is the same event",
            examples=["6e4b62e8a9c00b6dd0ee8b83ad3a1fb6"],
        ),
    ]
    event_type: EventType
    tracker_name: str
    collection_name: str
    device_id: str
    geofence_id: str
    sample_time: Time
    position: LonLat
    interpolated: Annotated[
        bool | UnsetType,
        Meta(
            description="true where time and position are those of the crossing between two fixes, in a "
            "collection that is crossed by `segment`; not there otherwise"
        ),
    ] = UNSET


class EventPage(Shape, frozen=True):
    """Events in the order in which they were committed, which keeps the order of each device."""

    items: list[Event]
    next_cursor: str | None
    resume_cursor: str


class EventParameters(ListParameters, OfTracker):
    """Which events."""

    device: Identifier | None = Field(None, description="only those of this device")
    geofence: Identifier | None = Field(None, description="only those of this geofence")
    collection: Identifier | None = Field(None, description="only those of this geofence collection")
    type: EventType | None = Field(None, description="only those of this type")
    start: Moment | None = Field(None, description="from this sampleTime on")
    end: Moment | None = Field(None, description="before this sampleTime")


@router.get("", responses={**documented_answer(EventPage, "The events"), **documented(404)})
def list_events(services: Services, query: Annotated[EventParameters, Query()]) -> Response:
    """Who crossed which line, when and where? Oldest commit first.

    Keep `resumeCursor` and come back with it: it gives what has come since and skips nothing.
    """
    wanted = EventFilter(query.device, query.geofence, query.collection, query.type, query.start, query.end)
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        if query.collection is not None:
            collection_named(connection, query.collection)
        listing = Listing(("events", of_tracker.name), (0,), query.cursor)
        (after,) = listing.after()
        rows = events(connection, of_tracker.key, wanted, after, query.limit + 1)
    page = listing.page_of(rows, query.limit, lambda row: (row.seq,))
    items = [row.native for row in page.rows]
    return answer({"items": items, "nextCursor": page.next_cursor, "resumeCursor": page.resume_cursor})
