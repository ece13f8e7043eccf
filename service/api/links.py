"""Links: which tracker watches which geofence collection; to be read and changed from both ends."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.access.touching import visible
from service.api.answers import answer, documented_answer
from service.api.callers import TheCaller
from service.api.collections import CollectionPage, collection_page
from service.api.cursors import Listing
from service.api.parameters import CollectionName, ListParameters, NoParameters, TrackerName
from service.api.problems import documented
from service.api.services import Services
from service.api.trackers import TrackerPage, tracker_page
from service.store.reading.collections import collection_named
from service.store.reading.links import linked_collections, linked_trackers
from service.store.reading.trackers import tracker_named

router = APIRouter(tags=["trackers and collections"])


@router.get(
    "/trackers/{tracker_name}/collections",
    responses={**documented_answer(CollectionPage, "The collections"), **documented(404)},
)
def list_linked_collections(
    tracker_name: TrackerName,
    services: Services,
    caller: TheCaller,
    query: Annotated[ListParameters, Query()],
) -> Response:
    """The geofence collections that a tracker watches."""
    listing = Listing(("linked collections", tracker_name), (0,), query.cursor)
    (after,) = listing.after()
    with services.read() as connection:
        key = tracker_named(connection, tracker_name).key
        rows = visible(caller, partial(linked_collections, connection, key), after, query.limit + 1)
    return answer(collection_page(listing.page_of(rows, query.limit, lambda row: (row.key,))))


@router.get(
    "/collections/{collection_name}/trackers",
    responses={**documented_answer(TrackerPage, "The trackers"), **documented(404)},
)
def list_linked_trackers(
    collection_name: CollectionName,
    services: Services,
    caller: TheCaller,
    query: Annotated[ListParameters, Query()],
) -> Response:
    """The trackers that watch a geofence collection."""
    listing = Listing(("linked trackers", collection_name), (0,), query.cursor)
    (after,) = listing.after()
    with services.read() as connection:
        key = collection_named(connection, collection_name).key
        rows = visible(caller, partial(linked_trackers, connection, key), after, query.limit + 1)
    return answer(tracker_page(listing.page_of(rows, query.limit, lambda row: (row.key,))))


@router.put(
    "/trackers/{tracker_name}/collections/{collection_name}",
    status_code=204,
    response_description="Linked",
    responses=documented(404),
)
@router.put(
    "/collections/{collection_name}/trackers/{tracker_name}",
    name="link_tracker",
    status_code=204,
    response_description="Linked",
    responses=documented(404),
)
def link_collection(
    tracker_name: TrackerName,
    collection_name: CollectionName,
    services: Services,
    _: Annotated[NoParameters, Query()],
) -> Response:
    """From now on the tracker's positions are compared with the collection's geofences."""
    services.catalog.link(tracker_name, collection_name)
    return Response(status_code=204)


@router.delete(
    "/trackers/{tracker_name}/collections/{collection_name}",
    status_code=204,
    response_description="Unlinked",
    responses=documented(404),
)
@router.delete(
    "/collections/{collection_name}/trackers/{tracker_name}",
    name="unlink_tracker",
    status_code=204,
    response_description="Unlinked",
    responses=documented(404),
)
def unlink_collection(
    tracker_name: TrackerName,
    collection_name: CollectionName,
    services: Services,
    _: Annotated[NoParameters, Query()],
) -> Response:
    """Ends a link. Devices inside the collection's geofences are so no longer, without an event."""
    services.catalog.unlink(tracker_name, collection_name)
    return Response(status_code=204)
