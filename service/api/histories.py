"""What is needed to evaluate the past again: the fixes of all devices, and what changed of the geofences."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from msgspec import Meta, Raw
from sqlalchemy import Connection

from ingest.timestamps import iso
from service.api.answers import Shape, answer, documented_answer, object_of
from service.api.collections import Crossing
from service.api.cursors import BEFORE_ALL, Listing, Place
from service.api.devices import DevicePosition, Time
from service.api.geofences import PAGE_CHARACTERS, Feature
from service.api.parameters import ListParameters, OfTracker
from service.api.problems import documented
from service.api.services import Services
from service.store.reading.histories import EvaluatedRow, evaluated_positions
from service.store.reading.revisions import ChangeRow, changes
from service.store.reading.trackers import tracker_named

router = APIRouter(tags=["rewinding"])

Read = Callable[[], AbstractContextManager[Connection]]
"""Such as `Database.read`."""


class EvaluatedPosition(DevicePosition, frozen=True):
    """One stored fix that has had its turn: `revision` is null where it was `late`."""

    tracker_name: str


class EvaluatedPositionPage(Shape, frozen=True):
    """A part of all history, device by device, each by sampleTime."""

    items: list[EvaluatedPosition]
    next_cursor: str | None
    resume_cursor: str


class Change(Shape, frozen=True):
    """What a revision changed: a geofence, which collection a tracker watches, how one is crossed."""

    revision: Annotated[int, Meta(description="a put of many geofences is many changes of one revision")]
    kind: Literal["put", "delete", "link", "unlink", "collection"]
    committed_time: Time
    tracker_name: Annotated[str | None, Meta(description="whose link; null where it is about none")]
    collection_name: Annotated[
        str | None, Meta(description="null where it went with its tracker or its collection since")
    ]
    geofence_id: Annotated[str | None, Meta(description="null where it is about none")]
    feature: Annotated[Feature | None, Meta(description="the geofence from then on; null where none")]
    crossing: Annotated[
        Crossing | None, Meta(description="of the collection from then on; null where it is not about that")
    ]
    max_gap_seconds: Annotated[float | None, Meta(description="as `crossing`")]
    max_speed: Annotated[float | None, Meta(description="as `crossing`")]


class ChangePage(Shape, frozen=True):
    """Changes in the order in which they were committed."""

    items: list[Change]
    next_cursor: str | None
    resume_cursor: str


class PositionParameters(ListParameters, OfTracker):
    """Of which tracker."""


@router.get(
    "/positions",
    responses={**documented_answer(EvaluatedPositionPage, "Its history"), **documented(404)},
)
def list_evaluated_positions(services: Services, query: Annotated[PositionParameters, Query()]) -> Response:
    """All stored positions of a tracker that have been evaluated or came too late for it.

    They come device by device, each by sampleTime, with the revision of the geofences that each met; those
    that wait for their turn are left out. `resumeCursor` gives what follows in this order, not what devices
    before it have sent since. `overfly export` writes all pages to a file.
    """
    tracker = query.tracker or services.default_tracker
    return answer(evaluated_position_page(services.read, tracker, query.cursor, query.limit))


@router.get("/revisions", responses=documented_answer(ChangePage, "The changes"))
def list_revisions(services: Services, query: Annotated[ListParameters, Query()]) -> Response:
    """Each change of geofences, links and collections, from the first, in the order of their commits.

    With the positions that met them, they give the stored events again: `overfly evaluate --revisions`.
    """
    return answer(change_page(services.read, query.cursor, query.limit))


def evaluated_position_page(
    read: Read, tracker: str, cursor: str | None, limit: int
) -> EvaluatedPositionPage:
    """Raises NotFound where there is no such tracker, Refused for a cursor of another list."""
    with read() as connection:
        key = tracker_named(connection, tracker).key
        listing = Listing(("all positions", tracker), (0, BEFORE_ALL), cursor)
        device_key, sample_time = listing.after()
        rows = evaluated_positions(connection, key, (device_key, sample_time), limit + 1)
    page = listing.page_of(rows, limit, lambda row: (row.device_key, row.sample_time))
    items = [_position(tracker, row) for row in page.rows]
    return EvaluatedPositionPage(items, page.next_cursor, page.resume_cursor)


def change_page(read: Read, cursor: str | None, limit: int) -> ChangePage:
    """Raises Refused for a cursor of another list."""
    listing = Listing(("revisions",), (0, 0), cursor)
    revision, geofence_key = listing.after()
    with read() as connection:
        rows, more = changes(connection, (revision, geofence_key), limit, PAGE_CHARACTERS)
    page = listing.page(rows, more, _place)
    return ChangePage([_change(row) for row in page.rows], page.next_cursor, page.resume_cursor)


def _position(tracker: str, row: EvaluatedRow) -> EvaluatedPosition:
    return EvaluatedPosition(
        row.device_id,
        iso(row.sample_time),
        iso(row.received_time),
        (row.longitude, row.latitude),
        row.accuracy,
        object_of(row.properties),
        row.late,
        row.revision,
        tracker,
    )


def _place(row: ChangeRow) -> Place:
    return row.revision, row.geofence_key


def _change(row: ChangeRow) -> Change:
    return Change(
        row.revision,
        row.kind,  # type: ignore[arg-type]  # the database holds these kinds only
        iso(row.committed_time),
        row.tracker_name,
        row.collection_name,
        row.geofence_id,
        None if row.feature is None else Raw(row.feature.encode()),
        row.crossing,
        None if row.max_gap is None else row.max_gap / 1000,
        row.max_speed,
    )
