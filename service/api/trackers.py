"""Trackers: each holds devices."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict
from starlette.concurrency import run_in_threadpool

from ingest.timestamps import iso
from service.access.touching import visible
from service.api.answers import JSON, Shape, answer, documented_answer
from service.api.bodies import read_content
from service.api.callers import TheCaller
from service.api.cursors import Listing, Page
from service.api.devices import Time
from service.api.parameters import ListParameters, NoParameters, TrackerName
from service.api.problems import documented
from service.api.services import ApiServices, Services
from service.filtering.passing import FILTERINGS
from service.store.reading.trackers import TrackerRow, tracker_named, trackers

router = APIRouter(prefix="/trackers", tags=["trackers and collections"])

PositionEvents = Annotated[
    bool,
    Meta(
        description="whether each position stored is also put on the event bus (OVERFLY_EVENT_BUS), as a "
        "Location Device Position Event"
    ),
]
PositionFiltering = Annotated[
    str | None,
    Meta(
        description="which positions of a device are left out, as Amazon Location does it. TimeBased: all "
        "are evaluated, one per 30 seconds is stored. DistanceBased: those that moved less than 30 metres, "
        "AccuracyBased: less than their accuracy, are neither stored nor evaluated. null: none is left out",
        extra_json_schema={"enum": [*FILTERINGS, None]},
    ),
]


class NewTracker(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A tracker to create."""

    tracker_name: Annotated[str, Meta(description="1 to 100 letters, digits, '-', '.' or '_'")]
    position_events: PositionEvents = False
    position_filtering: PositionFiltering = None


class TrackerChange(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a tracker is to be from now on; what is left out stays as it is."""

    position_events: PositionEvents | UnsetType = UNSET
    position_filtering: PositionFiltering | UnsetType = UNSET


class TrackerItem(Shape, frozen=True):
    """A tracker: devices, their positions, and the events of these."""

    tracker_name: str
    created_time: Time
    position_events: PositionEvents
    position_filtering: PositionFiltering


class TrackerPage(Shape, frozen=True):
    """Trackers in the order in which they were created."""

    items: list[TrackerItem]
    next_cursor: str | None
    resume_cursor: str


def _body(schema: str, example: dict[str, object]) -> dict[str, object]:
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@router.get("", responses=documented_answer(TrackerPage, "The trackers"))
def list_trackers(
    services: Services, caller: TheCaller, query: Annotated[ListParameters, Query()]
) -> Response:
    """All trackers; `default` exists from the start."""
    listing = Listing(("trackers",), (0,), query.cursor)
    (after,) = listing.after()
    with services.read() as connection:
        rows = visible(caller, partial(trackers, connection), after, query.limit + 1)
    page = listing.page_of(rows, query.limit, lambda row: (row.key,))
    return answer(tracker_page(page))


@router.post(
    "",
    status_code=201,
    openapi_extra=_body("NewTracker", {"trackerName": "trucks"}),
    responses={**documented_answer(TrackerItem, "Created", status=201), **documented(409, 413)},
)
async def create_tracker(
    request: Request, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Creates a tracker that watches nothing yet: link collections to it."""
    new = await read_content(request, NewTracker)
    create = partial(
        services.catalog.create_tracker,
        position_events=new.position_events,
        position_filtering=new.position_filtering,
    )
    await run_in_threadpool(create, new.tracker_name)
    item = await run_in_threadpool(_tracker_of, services, new.tracker_name)
    return answer(item, 201)


@router.get("/{tracker_name}", responses={**documented_answer(TrackerItem, "The tracker"), **documented(404)})
def get_tracker(
    tracker_name: TrackerName, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """One tracker."""
    return answer(_tracker_of(services, tracker_name))


@router.patch(
    "/{tracker_name}",
    openapi_extra=_body("TrackerChange", {"positionEvents": True}),
    responses={**documented_answer(TrackerItem, "As it is now"), **documented(404, 413)},
)
async def change_tracker(
    tracker_name: TrackerName, request: Request, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Says whether the tracker's positions are put on the event bus, and which are left out, from now on."""
    change = await read_content(request, TrackerChange)
    named = {name: value for name, value in asdict(change).items() if value is not UNSET}
    await run_in_threadpool(partial(services.catalog.update_tracker, **named), tracker_name)
    return answer(await run_in_threadpool(_tracker_of, services, tracker_name))


@router.delete(
    "/{tracker_name}", status_code=204, response_description="Deleted", responses=documented(404, 409)
)
def delete_tracker(
    tracker_name: TrackerName, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Deletes a tracker with all its devices, positions, events and alerts. `default` always exists."""
    services.catalog.delete_tracker(tracker_name)
    return Response(status_code=204)


def tracker_page(page: Page[TrackerRow]) -> TrackerPage:
    """A page of trackers, as it is answered."""
    return TrackerPage([_tracker(row) for row in page.rows], page.next_cursor, page.resume_cursor)


def _tracker_of(services: ApiServices, name: str) -> TrackerItem:
    with services.read() as connection:
        return _tracker(tracker_named(connection, name))


def _tracker(row: TrackerRow) -> TrackerItem:
    return TrackerItem(row.name, iso(row.created_time), row.position_events, row.position_filtering)
