"""The record of who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec import Meta
from pydantic import Field

from ingest.timestamps import iso
from service.api.answers import Shape, answer, documented_answer
from service.api.cursors import Listing
from service.api.devices import Time
from service.api.parameters import ListParameters, Moment
from service.api.services import Services
from service.store.audit import AuditRow, audited

router = APIRouter(prefix="/audit", tags=["access"])


class AuditItem(Shape, frozen=True):
    """A change, or an attempt at one."""

    time: Time
    caller: Annotated[str, Meta(description="a key, a token's subject, `local`, or who ran a command")]
    account_id: str
    operation: Annotated[str, Meta(examples=["put_geofence", "CreateTracker"])]
    target: Annotated[
        str, Meta(description="the path that was asked, or the key that a command made or ended")
    ]
    status: Annotated[int, Meta(description="of the answer")]
    address: Annotated[str, Meta(description="where it came from")]
    calls: Annotated[
        int,
        Meta(description="above 1 where a minute's are gathered: positions, and what was refused"),
    ]


class AuditPage(Shape, frozen=True):
    """Changes in the order in which they were recorded."""

    items: list[AuditItem]
    next_cursor: str | None
    resume_cursor: str


class AuditParameters(ListParameters):
    """Which part of the record."""

    caller: str | None = Field(None, description="only those of this caller", max_length=300)
    since: Moment | None = Field(None, description="only those from this time on")


@router.get("", responses=documented_answer(AuditPage, "The record"))
def list_audit(services: Services, query: Annotated[AuditParameters, Query()]) -> Response:
    """Who changed what, and when? Kept for OVERFLY_AUDIT_DAYS, a million rows at most."""
    listing = Listing(("audit",), (0,), query.cursor)
    (after,) = listing.after()
    with services.read() as connection:
        rows = audited(connection, after, query.limit + 1, caller=query.caller, since=query.since)
    page = listing.page_of(rows, query.limit, lambda row: (row.key,))
    return answer(AuditPage([audit_item(row) for row in page.rows], page.next_cursor, page.resume_cursor))


def audit_item(row: AuditRow) -> AuditItem:
    entry = row.entry
    return AuditItem(iso(entry.time), *entry[1:])
