"""Geofence collections: each holds geofences."""

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
from service.api.parameters import CollectionName, ListParameters, NoParameters
from service.api.problems import documented
from service.api.services import ApiServices, Services
from service.crossing_rule import (
    CROSSINGS,
    DEFAULT_RULE,
    GREATEST_GAP,
    GREATEST_SPEED,
    LEAST_GAP,
    CrossingRule,
    changed,
)
from service.store.reading.collections import CollectionRow, collection_named, collections

router = APIRouter(prefix="/collections", tags=["trackers and collections"])


Crossing = Annotated[
    str,
    Meta(
        description="`fix`: devices enter and leave geofences at their fixes. `segment`: the straight path "
        "between two consecutive fixes counts too, and events have the time and place of the crossing",
        extra_json_schema={"enum": list(CROSSINGS)},
    ),
]
MaxGapSeconds = Annotated[
    float,
    Meta(
        description="with `segment`: fixes with more time between them are not joined",
        extra_json_schema={"minimum": LEAST_GAP, "maximum": GREATEST_GAP},
    ),
]
MaxSpeed = Annotated[
    float,
    Meta(
        description="with `segment`: fixes that are farther apart than this speed allows are not joined; "
        "metres per second",
        extra_json_schema={"exclusiveMinimum": 0, "maximum": GREATEST_SPEED},
    ),
]


class CollectionChange(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a collection is to be from now on; what is left out stays as it is."""

    crossing: Crossing | UnsetType = UNSET
    max_gap_seconds: MaxGapSeconds | UnsetType = UNSET
    max_speed: MaxSpeed | UnsetType = UNSET

    def applied(self, rule: CrossingRule) -> CrossingRule:
        """Raises Refused."""
        return changed(rule, **{name: value for name, value in asdict(self).items() if value is not UNSET})


class NewCollection(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A geofence collection to create."""

    collection_name: Annotated[str, Meta(description="1 to 100 letters, digits, '-', '.' or '_'")]
    crossing: Crossing = DEFAULT_RULE.crossing
    max_gap_seconds: MaxGapSeconds = DEFAULT_RULE.max_gap_seconds
    max_speed: MaxSpeed = DEFAULT_RULE.max_speed


class CollectionItem(Shape, frozen=True):
    """A geofence collection."""

    collection_name: str
    created_time: Time
    crossing: Crossing
    max_gap_seconds: MaxGapSeconds
    max_speed: MaxSpeed


class CollectionPage(Shape, frozen=True):
    """Geofence collections in the order in which they were created."""

    items: list[CollectionItem]
    next_cursor: str | None
    resume_cursor: str


def _body(schema: str, example: dict[str, object]) -> dict[str, object]:
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@router.get("", responses=documented_answer(CollectionPage, "The collections"))
def list_collections(
    services: Services, caller: TheCaller, query: Annotated[ListParameters, Query()]
) -> Response:
    """All collections; `default` exists from the start."""
    listing = Listing(("collections",), (0,), query.cursor)
    (after,) = listing.after()
    with services.read() as connection:
        rows = visible(caller, partial(collections, connection), after, query.limit + 1)
    page = listing.page_of(rows, query.limit, lambda row: (row.key,))
    return answer(collection_page(page))


@router.post(
    "",
    status_code=201,
    openapi_extra=_body("NewCollection", {"collectionName": "harbours"}),
    responses={**documented_answer(CollectionItem, "Created", status=201), **documented(409, 413)},
)
async def create_collection(
    request: Request, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Creates a geofence collection that nobody watches yet: link it to trackers."""
    new = await read_content(request, NewCollection)
    rule = changed(DEFAULT_RULE, new.crossing, new.max_gap_seconds, new.max_speed)
    await run_in_threadpool(services.catalog.create_collection, new.collection_name, rule)
    item = await run_in_threadpool(_collection_of, services, new.collection_name)
    return answer(item, 201)


@router.get(
    "/{collection_name}", responses={**documented_answer(CollectionItem, "The collection"), **documented(404)}
)
def get_collection(
    collection_name: CollectionName, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """One geofence collection."""
    return answer(_collection_of(services, collection_name))


@router.patch(
    "/{collection_name}",
    openapi_extra=_body("CollectionChange", {"crossing": "segment", "maxGapSeconds": 120, "maxSpeed": 340}),
    responses={**documented_answer(CollectionItem, "As it is now"), **documented(404, 413)},
)
async def change_collection(
    collection_name: CollectionName,
    request: Request,
    services: Services,
    _: Annotated[NoParameters, Query()],
) -> Response:
    """Says how the collection's geofences are crossed, from the next positions that are evaluated.

    It is a revision, as a change of a geofence is: `GET /v1/revisions` lists it.
    """
    change = await read_content(request, CollectionChange)
    await run_in_threadpool(services.catalog.update_collection, collection_name, change.applied)
    return answer(await run_in_threadpool(_collection_of, services, collection_name))


@router.delete(
    "/{collection_name}", status_code=204, response_description="Deleted", responses=documented(404, 409)
)
def delete_collection(
    collection_name: CollectionName, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Deletes a geofence collection with its geofences and their events.

    Unlink it first. `default` always exists.
    """
    services.catalog.delete_collection(collection_name)
    return Response(status_code=204)


def collection_page(page: Page[CollectionRow]) -> CollectionPage:
    """A page of collections, as it is answered."""
    return CollectionPage([_collection(row) for row in page.rows], page.next_cursor, page.resume_cursor)


def _collection_of(services: ApiServices, name: str) -> CollectionItem:
    with services.read() as connection:
        return _collection(collection_named(connection, name))


def _collection(row: CollectionRow) -> CollectionItem:
    rule = row.rule
    return CollectionItem(
        row.name, iso(row.created_time), rule.crossing, rule.max_gap_seconds, rule.max_speed
    )
