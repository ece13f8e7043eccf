"""Devices: where each one is now, where it has been, and forgetting it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec import UNSET, Meta, Raw, UnsetType
from pydantic import Field

from ingest.timestamps import iso
from service.api.answers import GEOJSON, Shape, answer, documented_answer, object_of
from service.api.cursors import BEFORE_ALL, Listing, Place
from service.api.parameters import Box, DeviceId, ListParameters, Moment, OfTracker
from service.api.problems import documented
from service.api.services import Services
from service.errors import NotFound
from service.store.reading.devices import DeviceRow, device_named, devices, geofences_around
from service.store.reading.positions import PositionRow, positions
from service.store.reading.trackers import tracker_named

router = APIRouter(prefix="/devices", tags=["devices"])

Reported = Annotated[
    Raw,
    Meta(
        description="every other member that the device sent, as it sent it",
        extra_json_schema={"type": "object", "examples": [{"altitude": 11582.4, "callsign": "TOM2XE"}]},
    ),
]
LonLat = Annotated[
    tuple[float, float], Meta(description="longitude, latitude in degrees (WGS84)", examples=[[10.2, 46.68]])
]
Time = Annotated[str, Meta(description="UTC", examples=["2018-08-01T05:00:00.000Z"])]
Accuracy = Annotated[float | None, Meta(description="metres; null where the device did not say")]


class PointGeometry(Shape, frozen=True, tag_field="type", tag="Point"):
    """A GeoJSON Point."""

    coordinates: LonLat


class InsideOf(Shape, frozen=True):
    """A geofence that the device is inside of."""

    collection_name: str
    geofence_id: str


class DeviceProperties(Shape, frozen=True):
    """The latest position: that of the greatest sampleTime."""

    device_id: str
    sample_time: Annotated[str, Meta(description="when the device measured")]
    received_time: Annotated[str, Meta(description="when we got it")]
    accuracy: Accuracy
    reported: Reported
    inside: Annotated[
        list[InsideOf] | UnsetType,
        Meta(
            description="what it is inside of, or outside of without an EXIT so far (`exitAfterSeconds`, "
            "`exitAfterMetres`); only of a single device"
        ),
    ] = UNSET


class DeviceFeature(Shape, frozen=True, tag_field="type", tag="Feature"):
    """A device as a GeoJSON Feature."""

    id: Annotated[str, Meta(description="the device's id")]
    geometry: PointGeometry
    properties: DeviceProperties


class DeviceCollection(Shape, frozen=True, tag_field="type", tag="FeatureCollection"):
    """Devices as a GeoJSON FeatureCollection, by the time of receipt."""

    features: list[DeviceFeature]
    next_cursor: str | None
    resume_cursor: str


class DevicePosition(Shape, frozen=True):
    """One stored fix of a device."""

    device_id: str
    sample_time: Time
    received_time: Time
    position: LonLat
    accuracy: Accuracy
    properties: Reported
    late: Annotated[bool, Meta(description="came after its turn: stored, not evaluated")]
    revision: Annotated[int | None, Meta(description="of the geofences that it met; null until evaluated")]


class DevicePositionPage(Shape, frozen=True):
    """A part of a device's history, by sampleTime."""

    items: list[DevicePosition]
    next_cursor: str | None
    resume_cursor: str


class DeviceParameters(ListParameters, OfTracker):
    """Which devices."""

    bbox: Box | None = Field(None, description="only those in west,south,east,north (degrees)")
    since: Moment | None = Field(None, description="only those measured at or after this time")


class HistoryParameters(ListParameters, OfTracker):
    """Which part of a device's history."""

    start: Moment | None = Field(None, description="from this sampleTime on")
    end: Moment | None = Field(None, description="before this sampleTime")


@router.get(
    "",
    responses={
        **documented_answer(DeviceCollection, "The devices", GEOJSON),
        **documented(404),
    },
)
def list_devices(services: Services, query: Annotated[DeviceParameters, Query()]) -> Response:
    """Where is everything now? The latest position of each device, as GeoJSON.

    They are ordered by the time of receipt, so `resumeCursor` later gives those that have moved since.
    """
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        listing = Listing(("devices", of_tracker.name), (BEFORE_ALL, BEFORE_ALL), query.cursor)
        received_time, key = listing.after()
        rows = devices(
            connection,
            of_tracker.key,
            (received_time, key),
            query.limit + 1,
            box=query.bbox,
            since=query.since,
        )
    page = listing.page_of(rows, query.limit, _place)
    features = [_feature(row) for row in page.rows]
    return answer(DeviceCollection(features, page.next_cursor, page.resume_cursor), media_type=GEOJSON)


@router.get(
    "/{device_id}",
    responses={**documented_answer(DeviceFeature, "The device", GEOJSON), **documented(404)},
)
def get_device(device_id: DeviceId, services: Services, query: Annotated[OfTracker, Query()]) -> Response:
    """Where is this device now, and which geofences is it inside of?"""
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        row = device_named(connection, of_tracker.key, device_id)
        inside = [InsideOf(*pair) for pair in geofences_around(connection, row.key)]
    return answer(_feature(row, inside), media_type=GEOJSON)


@router.get(
    "/{device_id}/positions",
    responses={**documented_answer(DevicePositionPage, "Its history"), **documented(404)},
)
def list_positions(
    device_id: DeviceId, services: Services, query: Annotated[HistoryParameters, Query()]
) -> Response:
    """Where has this device been? All its stored positions in the order of measurement."""
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        key = device_named(connection, of_tracker.key, device_id).key
        listing = Listing(("positions", of_tracker.name, device_id), (BEFORE_ALL,), query.cursor)
        (after,) = listing.after()
        rows = positions(connection, key, after, query.limit + 1, start=query.start, end=query.end)
    page = listing.page_of(rows, query.limit, lambda row: (row.sample_time,))
    items = [_position(device_id, row) for row in page.rows]
    return answer(DevicePositionPage(items, page.next_cursor, page.resume_cursor))


@router.delete(
    "/{device_id}",
    status_code=204,
    response_description="Forgotten",
    responses=documented(404),
)
def forget_device(device_id: DeviceId, services: Services, query: Annotated[OfTracker, Query()]) -> Response:
    """Forgets everything about a device: positions, events, rejects, alerts and state.

    What it measured before this moment is refused from now on (`forgotten`), so that a message delivered
    again does not bring it back.
    """
    tracker = query.tracker or services.default_tracker
    if not services.tracker.forget(tracker, device_id):
        raise NotFound(f"nothing is known of device {device_id!r} in tracker {tracker!r}")
    return Response(status_code=204)


def _place(row: DeviceRow) -> Place:
    return row.received_time, row.key


def _feature(row: DeviceRow, inside: list[InsideOf] | UnsetType = UNSET) -> DeviceFeature:
    properties = DeviceProperties(
        row.device_id,
        iso(row.sample_time),
        iso(row.received_time),
        row.accuracy,
        object_of(row.properties),
        inside,
    )
    return DeviceFeature(row.device_id, PointGeometry((row.longitude, row.latitude)), properties)


def _position(device_id: str, row: PositionRow) -> DevicePosition:
    return DevicePosition(
        device_id,
        iso(row.sample_time),
        iso(row.received_time),
        (row.longitude, row.latitude),
        row.accuracy,
        object_of(row.properties),
        row.late,
        row.revision,
    )
