"""Alerts: what was sent to whom, when, and with which outcome."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from msgspec import Meta
from pydantic import Field

from ingest.timestamps import iso
from service.api.answers import Shape, answer, documented_answer
from service.api.cursors import Listing
from service.api.devices import Time
from service.api.parameters import Identifier, ListParameters, OfTracker
from service.api.problems import documented
from service.api.services import Services
from service.store.reading.alerts import AlertRow, ToldEvents, alerts, told_events
from service.store.reading.trackers import tracker_named

router = APIRouter(prefix="/alerts", tags=["alerts"])

NAMED_EVENTS = 100
"""The most events of one alert that are named by id."""


class Alert(Shape, frozen=True):
    """One message to one recipient, which may tell of many events."""

    alert_id: str
    channel: Annotated[
        str, Meta(description="how it is sent", examples=["email", "sms", "mqtt", "eventbridge", "sns"])
    ]
    recipient: Annotated[str, Meta(description="address, telephone number, topic or bus")]
    status: Annotated[str, Meta(extra_json_schema={"enum": ["pending", "sent", "failed"]})]
    attempts: Annotated[int, Meta(description="how often it was tried")]
    outcome: Annotated[str | None, Meta(description="what the receiver answered last")]
    message_id: Annotated[str, Meta(description="the same each time that it is tried")]
    created_time: Time
    attempted_time: Annotated[str | None, Meta(description="of the last attempt")]
    next_attempt_time: Annotated[str | None, Meta(description="not before; null once it is sent or failed")]
    finished_time: Annotated[str | None, Meta(description="when it was sent, or given up")]
    event_ids: Annotated[list[str], Meta(description=f"of the first {NAMED_EVENTS} events that it tells of")]
    event_count: Annotated[int, Meta(description="how many events it tells of")]


class AlertPage(Shape, frozen=True):
    """Alerts in the order in which they changed last."""

    items: list[Alert]
    next_cursor: str | None
    resume_cursor: str


class AlertParameters(ListParameters, OfTracker):
    """Which alerts."""

    status: Literal["pending", "sent", "failed"] | None = Field(None, description="only those in this status")
    channel: Identifier | None = Field(
        None, description="only those of this channel: email, sms, mqtt, eventbridge, sns"
    )


@router.get("", responses={**documented_answer(AlertPage, "The alerts"), **documented(404)})
def list_alerts(services: Services, query: Annotated[AlertParameters, Query()]) -> Response:
    """What was sent to whom, when, and what came of it?

    An alert that changes moves to the end: with `resumeCursor` it is seen anew, in its new status.
    """
    with services.read() as connection:
        of_tracker = tracker_named(connection, query.tracker or services.default_tracker)
        listing = Listing(("alerts", of_tracker.name), (0,), query.cursor)
        (after,) = listing.after()
        rows = alerts(
            connection, of_tracker.key, after, query.limit + 1, status=query.status, channel=query.channel
        )
        page = listing.page_of(rows, query.limit, lambda row: (row.changed,))
        told = told_events(connection, [row.key for row in page.rows], NAMED_EVENTS)
    items = [_alert(row, told) for row in page.rows]
    return answer(AlertPage(items, page.next_cursor, page.resume_cursor))


def _alert(row: AlertRow, told: Mapping[int, ToldEvents]) -> Alert:
    total, event_ids = told.get(row.key, ToldEvents(0, []))
    return Alert(
        alert_id=str(row.key),
        channel=row.channel,
        recipient=row.recipient,
        status=row.status,
        attempts=row.attempts,
        outcome=row.outcome,
        message_id=row.message_id,
        created_time=iso(row.created_time),
        attempted_time=_iso_if_any(row.attempted_time),
        next_attempt_time=iso(row.next_attempt_time) if row.status == "pending" else None,
        finished_time=_iso_if_any(row.finished_time),
        event_ids=event_ids,
        event_count=total,
    )


def _iso_if_any(time: int | None) -> str | None:
    return None if time is None else iso(time)
