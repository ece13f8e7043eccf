"""Which geofence collections a tracker's positions are compared with.

AssociateTrackerConsumer, DisassociateTrackerConsumer, ListTrackerConsumers.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from service.access.caller import Caller
from service.access.rules import Kind
from service.access.touching import check_arn, check_touched, visible
from service.api.services import ApiServices
from service.errors import NotFound
from service.location.arns import COLLECTION
from service.location.errors import (
    FIELD_VALIDATION_FAILED,
    INVALID,
    ConflictException,
    Field,
    ValidationException,
)
from service.location.paging import paging
from service.store.reading.links import linked_collections
from service.store.reading.trackers import tracker_named


def associate_tracker_consumer(
    services: ApiServices, request: Mapping[str, Any], caller: Caller
) -> dict[str, Any]:
    tracker = request["TrackerName"]
    check_arn(caller, request["ConsumerArn"])
    collection = _collection(services, request["ConsumerArn"])
    with services.database.read() as connection:
        check_touched(connection, caller, [(Kind.COLLECTION, collection)])
    if not services.catalog.link(tracker, collection, services.limits.consumers):
        raise ConflictException(f"collection {collection!r} is associated with tracker {tracker!r} already")
    return {}


def disassociate_tracker_consumer(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    services.catalog.unlink(request["TrackerName"], _collection(services, request["ConsumerArn"]))
    return {}


def list_tracker_consumers(
    services: ApiServices, request: Mapping[str, Any], caller: Caller
) -> dict[str, Any]:
    tracker = request["TrackerName"]
    page = paging(request, ("consumers", tracker), (0,))
    with services.database.read() as connection:
        key = tracker_named(connection, tracker).key
        rows = visible(caller, partial(linked_collections, connection, key), page.after[0], page.look)
    shown, more = page.page(rows, lambda row: (row.key,))
    return {"ConsumerArns": [services.home.arn(COLLECTION, row.name) for row in shown], **more}


def _collection(services: ApiServices, arn: str) -> str:
    """Its name. Raises ValidationException for what is no collection, NotFound for one of somebody else."""
    resource = services.home.resource(arn)
    if resource is None:
        raise NotFound(f"there is no geofence collection {arn}")
    kind, name = resource
    if kind != COLLECTION:
        fault = Field("ConsumerArn", f"the ARN of a {kind}, where one of a {COLLECTION} was to be")
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, [fault])
    return name
