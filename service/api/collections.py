"""Geofence collections: each holds geofences."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from ingest.timestamps import iso
from service.api.answers import JSON, Shape, answer, documented_answer
from service.api.bodies import read_content
from service.api.cursors import Listing, Page
from service.api.devices import Time
from service.api.parameters import CollectionName, ListParameters, NoParameters
from service.api.problems import documented
from service.api.services import ApiServices, Services
from service.store.reading.collections import CollectionRow, collection_named, collections

router = APIRouter(prefix="/collections", tags=["trackers and collections"])


class NewCollection(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A geofence collection to create."""

    collection_name: Annotated[str, Meta(description="1 to 100 letters, digits, '-', '.' or '_'")]


class CollectionItem(Shape, frozen=True):
    """A geofence collection."""

    collection_name: str
    created_time: Time


class CollectionPage(Shape, frozen=True):
    """Geofence collections in the order in which they were created."""

    items: list[CollectionItem]
    next_cursor: str | None
    resume_cursor: str


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"$ref": "#/components/schemas/NewCollection"},
                "example": {"collectionName": "harbours"},
            }
        },
    }
}


@router.get("", responses=documented_answer(CollectionPage, "The collections"))
def list_collections(services: Services, query: Annotated[ListParameters, Query()]) -> Response:
    """All collections; `default` exists from the start."""
    listing = Listing(("collections",), (0,), query.cursor)
    (after,) = listing.after()
    with services.database.read() as connection:
        rows = collections(connection, after, query.limit + 1)
    page = listing.page_of(rows, query.limit, lambda row: (row.key,))
    return answer(collection_page(page))


@router.post(
    "",
    status_code=201,
    openapi_extra=BODY,
    responses={**documented_answer(CollectionItem, "Created", status=201), **documented(409, 413)},
)
async def create_collection(
    request: Request, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """Creates a geofence collection that nobody watches yet: link it to trackers."""
    name = (await read_content(request, NewCollection)).collection_name
    await run_in_threadpool(services.catalog.create_collection, name)
    item = await run_in_threadpool(_collection_of, services, name)
    return answer(item, 201)


@router.get(
    "/{collection_name}", responses={**documented_answer(CollectionItem, "The collection"), **documented(404)}
)
def get_collection(
    collection_name: CollectionName, services: Services, _: Annotated[NoParameters, Query()]
) -> Response:
    """One geofence collection."""
    return answer(_collection_of(services, collection_name))


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
    with services.database.read() as connection:
        return _collection(collection_named(connection, name))


def _collection(row: CollectionRow) -> CollectionItem:
    return CollectionItem(row.name, iso(row.created_time))
