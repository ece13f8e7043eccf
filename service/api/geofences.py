"""Geofences as GeoJSON: put, edited, deleted, in force from the next batch of positions on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from msgspec import Meta, Raw
from starlette.concurrency import run_in_threadpool

from geofence.reading.geofence_properties import (
    GEOFENCE_PROPERTIES,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_PAIRS,
)
from geofence.reading.geojson import read_geofence, read_geofences
from service.api.answers import GEOJSON, Shape, answer, documented_answer
from service.api.bodies import MEBIBYTE, read_body
from service.api.cursors import Listing, Place
from service.api.geofence_conditions import CONDITIONS
from service.api.parameters import GeofenceId, ListParameters, OfCollection
from service.api.problems import documented
from service.api.services import ApiServices, Services
from service.catalog import Put
from service.store.reading.collections import collection_named
from service.store.reading.geofences import GeofenceRow, geofence_of_id, geofences

router = APIRouter(prefix="/geofences", tags=["geofences"])

LIMIT = 64 * MEBIBYTE
PAGE_CHARACTERS = 16 * MEBIBYTE
"""A page ends once its features together are longer than this."""

GEOFENCE_FEATURE: dict[str, Any] = {
    "type": "object",
    "title": "GeofenceFeature",
    "description": (
        "A geofence: a Polygon or MultiPolygon (holes allowed, RFC 7946), or a Point with "
        "`properties.radius` in metres, a geodesic circle on WGS84. The boundary is inside. "
        "The feature's `id` is the geofence's. Its properties may hold conditions that a position must meet, "
        "and say when a visit is worth an event."
    ),
    "required": ["type", "geometry"],
    "properties": {
        "type": {"const": "Feature"},
        "id": {"type": "string", "minLength": 1, "maxLength": 100},
        "geometry": {
            "type": "object",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"enum": ["Polygon", "MultiPolygon", "Point"]},
                "coordinates": {"type": "array"},
            },
        },
        "properties": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "name": {"description": "what people call it"},
                        "radius": {"description": "of a Point's circle, in metres, up to 10,000 km"},
                        GEOFENCE_PROPERTIES: {
                            "type": ["object", "null"],
                            "maxProperties": MOST_PAIRS,
                            "propertyNames": {"minLength": 1, "maxLength": LONGEST_NAME},
                            "additionalProperties": {
                                "type": "string",
                                "minLength": 1,
                                "maxLength": LONGEST_TEXT,
                            },
                            "description": "told with its events as GeofenceProperties, as in Amazon "
                            "Location; without it all properties are",
                        },
                        **CONDITIONS,
                    },
                },
                {"type": "null"},
            ]
        },
    },
}
EXAMPLE_FEATURE = {
    "type": "Feature",
    "id": "LSZH",
    "geometry": {"type": "Point", "coordinates": [8.5492, 47.4647]},
    "properties": {"name": "Zurich Airport", "radius": 5000, "maxAltitude": 1000},
}
EXAMPLE_SQUARE = {
    "type": "Feature",
    "id": "alps",
    "geometry": {"type": "Polygon", "coordinates": [[[7, 46], [10, 46], [10, 47], [7, 47], [7, 46]]]},
    "properties": {"name": "A square in the Alps"},
}


def _body(description: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {GEOJSON: {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


FEATURE_REFERENCE = {"$ref": "#/components/schemas/GeofenceFeature"}
FEATURE_BODY = _body("A Feature, whose id may be left out", FEATURE_REFERENCE, EXAMPLE_FEATURE)
COLLECTION_BODY = _body(
    "A FeatureCollection, up to 64 MiB; of any Content-Type",
    {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {"type": "array", "items": FEATURE_REFERENCE},
        },
    },
    {"type": "FeatureCollection", "features": [EXAMPLE_FEATURE, EXAMPLE_SQUARE]},
)

Feature = Annotated[Raw, Meta(extra_json_schema=FEATURE_REFERENCE)]


class GeofenceFeatureCollection(Shape, frozen=True, tag_field="type", tag="FeatureCollection"):
    """Geofences as a GeoJSON FeatureCollection, by their last change."""

    features: list[Feature]
    next_cursor: str | None
    resume_cursor: str


class GeofencesPut(Shape, frozen=True):
    """How many geofences are new and how many were replaced."""

    created: int
    updated: int
    revision: Annotated[
        int, Meta(description="of the geofences as they are now; a position records which it met")
    ]


class GeofenceParameters(ListParameters, OfCollection):
    """Which geofences."""


@router.get(
    "",
    responses={**documented_answer(GeofenceFeatureCollection, "The geofences", GEOJSON), **documented(404)},
)
def list_geofences(services: Services, query: Annotated[GeofenceParameters, Query()]) -> Response:
    """The geofences of a collection, as GeoJSON, by their last change.

    `resumeCursor` later gives those put since; those deleted are not told. A page of large geofences may hold
    fewer than `limit`.
    """
    with services.read() as connection:
        of_collection = collection_named(connection, query.collection)
        listing = Listing(("geofences", of_collection.name), (-1, -1), query.cursor)
        revision, key = listing.after()
        rows, more = geofences(connection, of_collection.key, (revision, key), query.limit, PAGE_CHARACTERS)
    page = listing.page(rows, more, _place)
    features = [Raw(row.feature) for row in page.rows]
    content = GeofenceFeatureCollection(features, page.next_cursor, page.resume_cursor)
    return answer(content, media_type=GEOJSON)


@router.post(
    "",
    openapi_extra=COLLECTION_BODY,
    responses={**documented_answer(GeofencesPut, "All are stored"), **documented(404, 413)},
)
async def post_geofences(
    request: Request, services: Services, query: Annotated[OfCollection, Query()]
) -> Response:
    """Creates or replaces geofences by id: all of them, or none where one has a fault.

    Every fault of every feature is named at once in the problem's `errors`, with feature, ring and vertex.
    """
    document = await read_body(request, LIMIT)
    return answer(_put(await run_in_threadpool(_put_all, services, query.collection, document)))


@router.get(
    "/{geofence_id}",
    responses={
        200: {"description": "The geofence", "content": {GEOJSON: {"schema": FEATURE_REFERENCE}}},
        **documented(404),
    },
)
def get_geofence(
    geofence_id: GeofenceId, services: Services, query: Annotated[OfCollection, Query()]
) -> Response:
    """One geofence, as GeoJSON."""
    with services.read() as connection:
        of_collection = collection_named(connection, query.collection)
        row = geofence_of_id(connection, of_collection.key, geofence_id)
    return Response(row.feature, media_type=GEOJSON)


@router.put(
    "/{geofence_id}",
    openapi_extra=FEATURE_BODY,
    responses={
        **documented_answer(GeofencesPut, "Replaced"),
        **documented_answer(GeofencesPut, "Created", status=201),
        **documented(404, 413),
    },
)
async def put_geofence(
    geofence_id: GeofenceId, request: Request, services: Services, query: Annotated[OfCollection, Query()]
) -> Response:
    """Creates or replaces one geofence."""
    document = await read_body(request, LIMIT)
    put = await run_in_threadpool(_put_one, services, query.collection, geofence_id, document)
    return answer(_put(put), 201 if put.created else 200)


@router.delete("/{geofence_id}", status_code=204, response_description="Deleted", responses=documented(404))
def delete_geofence(
    geofence_id: GeofenceId, services: Services, query: Annotated[OfCollection, Query()]
) -> Response:
    """Deletes a geofence. Devices inside it are so no longer, without an event."""
    services.catalog.delete(query.collection, geofence_id)
    return Response(status_code=204)


def _put_all(services: ApiServices, collection: str, document: bytes) -> Put:
    return services.catalog.put(collection, read_geofences(document))


def _put_one(services: ApiServices, collection: str, geofence_id: str, document: bytes) -> Put:
    return services.catalog.put(collection, [read_geofence(document, geofence_id)])


def _put(put: Put) -> GeofencesPut:
    return GeofencesPut(put.created, put.updated, put.revision)


def _place(row: GeofenceRow) -> Place:
    return row.revision, row.key
