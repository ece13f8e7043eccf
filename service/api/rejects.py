"""What could not be taken, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from msgspec import Meta
from pydantic import AfterValidator, Field

from ingest.decoding.rejects import REASONS
from ingest.timestamps import iso
from service.api.answers import Shape, answer, documented_answer
from service.api.cursors import Listing
from service.api.devices import Time
from service.api.parameters import Identifier, ListParameters, OfTracker
from service.api.problems import documented
from service.api.services import Services
from service.store.reading.rejects import RejectRow, rejects
from service.store.reading.trackers import tracker_named

router = APIRouter(prefix="/rejects", tags=["rejects"])


class RejectedMessage(Shape, frozen=True):
    """A message, or an item of it, that was put aside."""

    received_time: Time
    reason: Annotated[
        str, Meta(description="a short stable word", extra_json_schema={"enum": sorted(REASONS)})
    ]
    detail: Annotated[str, Meta(description="what was wrong, where, and what would be right")]
    topic: Annotated[str | None, Meta(description="null where it came without one")]
    payload: Annotated[str, Meta(description="its first 4 KiB; bytes that are no UTF-8 are written \\xff")]
    device_id: Annotated[str | None, Meta(description="where the message or its topic says so")]


class RejectPage(Shape, frozen=True):
    """Rejects in the order in which they were put aside."""

    items: list[RejectedMessage]
    next_cursor: str | None
    resume_cursor: str


def _reason(text: str) -> str:
    if text not in REASONS:
        raise ValueError(f"{text!r} is no reason; there are: {', '.join(REASONS)}")
    return text


def _with_reasons(schema: dict[str, Any]) -> None:
    schema["enum"] = list(REASONS)


class RejectParameters(ListParameters, OfTracker):
    """Which rejects."""

    device: Identifier | None = Field(None, description="only those of this device")
    reason: Annotated[str, AfterValidator(_reason)] | None = Field(
        None, description="only those put aside for this reason", json_schema_extra=_with_reasons
    )


@router.get("", responses={**documented_answer(RejectPage, "The rejects"), **documented(404)})
def list_rejects(services: Services, query: Annotated[RejectParameters, Query()]) -> Response:
    """Why was my message not stored? What was put aside in the last 7 days, oldest first, at most 100,000."""
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        listing = Listing(("rejects", of_tracker.name), (0,), query.cursor)
        (after,) = listing.after()
        rows = rejects(
            connection, of_tracker.key, after, query.limit + 1, device_id=query.device, reason=query.reason
        )
    page = listing.page_of(rows, query.limit, lambda row: (row.key,))
    items = [_reject(row) for row in page.rows]
    return answer(RejectPage(items, page.next_cursor, page.resume_cursor))


def _reject(row: RejectRow) -> RejectedMessage:
    payload = row.payload.decode(errors="backslashreplace")
    return RejectedMessage(iso(row.received_time), row.reason, row.detail, row.topic, payload, row.device_id)
