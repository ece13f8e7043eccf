"""Positions over HTTP: the same payloads that devices publish over MQTT."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from msgspec import Meta
from starlette.concurrency import run_in_threadpool

from ingest.decoding.rejects import Reject
from service.api.answers import JSON, Shape, answer, documented_answer
from service.api.bodies import MEBIBYTE, read_body
from service.api.parameters import OfTracker
from service.api.problems import FaultyBody, documented
from service.api.services import Services
from service.outcome import Posted

router = APIRouter(prefix="/positions", tags=["positions"])

LIMIT = MEBIBYTE
UNREADABLE = {"empty", "bad_json", "bad_encoding"}
"""Reasons for which a payload cannot be taken apart."""

DEVICE_POSITION = {
    "type": "object",
    "title": "DevicePayload",
    "description": "One position; every member besides these is kept as a property, 8 KiB in all.",
    "required": ["deviceId", "timestamp", "latitude", "longitude"],
    "properties": {
        "deviceId": {"type": "string", "minLength": 1, "maxLength": 100},
        "timestamp": {
            "description": "when it was measured: ISO 8601 with zone, epoch seconds or epoch milliseconds",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
        },
        "latitude": {"type": "number", "minimum": -90, "maximum": 90},
        "longitude": {"type": "number", "minimum": -180, "maximum": 180},
        "accuracy": {
            "description": "metres",
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "object", "properties": {"Horizontal": {"type": "number", "minimum": 0}}},
                {"type": "null"},
            ],
        },
    },
}
EXAMPLE = {
    "deviceId": "4ca7b3",
    "timestamp": "2018-08-01T05:00:00.000Z",
    "latitude": 46.68,
    "longitude": 10.2,
    "altitude": 11582.4,
    "speed": 225.4,
    "heading": 292.4,
    "callsign": "TOM2XE",
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One object, an array of objects, or objects line by line, up to 1 MiB",
        "content": {
            JSON: {
                "schema": {"oneOf": [DEVICE_POSITION, {"type": "array", "items": DEVICE_POSITION}]},
                "examples": {"one": {"value": EXAMPLE}, "several": {"value": [EXAMPLE]}},
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


class Refusal(Shape, frozen=True):
    """An item that was not taken."""

    item: Annotated[int | None, Meta(description="its index in the array, or of its line, from 0")]
    reason: Annotated[str, Meta(description="a short stable word", examples=["bad_latitude"])]
    detail: Annotated[str, Meta(description="what was wrong, and what would be right")]
    device_id: str | None
    count: Annotated[int, Meta(description="above 1 where many of the same kind are gathered")]


class Receipt(Shape, frozen=True):
    """What became of a payload. What is accepted is stored."""

    accepted: Annotated[int, Meta(description="positions stored now")]
    duplicates: Annotated[int, Meta(description="positions that were stored before, the same")]
    late: Annotated[int, Meta(description="of those accepted, how many came after their turn: not evaluated")]
    conflicts: Annotated[
        int, Meta(description="positions put aside: another of this device and time is stored")
    ]
    filtered: Annotated[
        int, Meta(description="positions that are not stored, as the tracker's positionFiltering has it")
    ]
    rejected: list[Refusal]


@router.post(
    "",
    status_code=202,
    openapi_extra=BODY,
    responses={
        **documented_answer(Receipt, "Stored; what was refused is named item by item", status=202),
        **documented(404, 413),
    },
)
async def post_positions(
    request: Request, services: Services, query: Annotated[OfTracker, Query()]
) -> Response:
    """Stores positions, as if devices had published them. 202 means stored; evaluation follows.

    Good items are taken and bad ones refused with their reason, also where all are bad; a payload that cannot
    be taken apart is answered with 400. What is refused is listed by GET /v1/rejects, too.
    """
    payload = await read_body(request, LIMIT)
    tracker = query.tracker or services.default_tracker
    posted = await run_in_threadpool(services.tracker.post, payload, tracker)
    if _unreadable(posted):
        raise fault_of_payload(f"the payload cannot be taken apart: {posted.rejects[0].detail}", posted)
    return answer(receipt_of(posted), 202)


def receipt_of(posted: Posted) -> Receipt:
    """What its sender is told."""
    rejected = [_refusal(each) for each in posted.rejects]
    return Receipt(
        posted.accepted, posted.duplicates, posted.late, posted.conflicts, posted.filtered, rejected
    )


def fault_of_payload(detail: str, posted: Posted) -> FaultyBody:
    """What was refused, as an error."""
    errors = [
        {"item": each.item, "reason": each.reason, "detail": each.detail, "deviceId": each.device_id}
        for each in posted.rejects
    ]
    return FaultyBody(detail, errors)


def _unreadable(posted: Posted) -> bool:
    taken_apart = posted.accepted + posted.duplicates + posted.conflicts + posted.filtered
    reasons = {each.reason for each in posted.rejects}
    return not taken_apart and bool(reasons) and reasons <= UNREADABLE


def _refusal(reject: Reject) -> Refusal:
    return Refusal(reject.item, reject.reason, reject.detail, reject.device_id, reject.count)
