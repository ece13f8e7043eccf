"""Trackers: CreateTracker, DescribeTracker, UpdateTracker, DeleteTracker, ListTrackers."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from service.access.caller import Caller
from service.access.touching import check_new, visible
from service.api.services import ApiServices
from service.filtering.passing import TIME_BASED
from service.location.arns import TRACKER
from service.location.paging import paging
from service.location.tags import check_tags
from service.store.reading.trackers import TrackerRow, tracker_named, trackers
from service.store.trackers import TrackerValues

PRICING: Final = {"PricingPlan": "RequestBasedUsage", "PricingPlanDataSource": ""}
"""What Amazon says of each resource since it has no plans any more."""

VALUES: Final = {
    "Description": "description",
    "Tags": "tags",
    "PositionFiltering": "position_filtering",
    "EventBridgeEnabled": "position_events",
    "KmsKeyId": "kms_key_id",
    "KmsKeyEnableGeospatialQueries": "kms_geospatial",
}
"""Amazon's name -> ours, of what a tracker may be told to be."""


def create_tracker(services: ApiServices, request: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    name = request["TrackerName"]
    check_tags(request.get("Tags", ()))
    check_new(caller, request.get("Tags", {}))
    values: TrackerValues = {"position_filtering": TIME_BASED, **_values(request)}
    services.catalog.create_tracker(name, services.limits.trackers, **values)
    row = _tracker(services, name)
    return {**_named(services, name), "CreateTime": row.created_time}


def describe_tracker(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    row = _tracker(services, request["TrackerName"])
    described = {
        **_entry(row),
        **_named(services, row.name),
        "Tags": row.tags,
        "EventBridgeEnabled": row.position_events,
        "KmsKeyEnableGeospatialQueries": row.kms_geospatial,
    }
    if row.position_filtering is not None:
        described["PositionFiltering"] = row.position_filtering
    if row.kms_key_id is not None:
        described["KmsKeyId"] = row.kms_key_id
    return described


def update_tracker(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    name = request["TrackerName"]
    services.catalog.update_tracker(name, **_values(request))
    row = _tracker(services, name)
    return {**_named(services, name), "UpdateTime": row.updated_time}


def delete_tracker(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    services.catalog.delete_tracker(request["TrackerName"])
    return {}


def list_trackers(services: ApiServices, request: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    page = paging(request, ("trackers",), (0,))
    with services.database.read() as connection:
        rows = visible(caller, partial(trackers, connection), page.after[0], page.look)
    shown, more = page.page(rows, lambda row: (row.key,))
    return {"Entries": [_entry(row) for row in shown], **more}


def _tracker(services: ApiServices, name: str) -> TrackerRow:
    with services.database.read() as connection:
        return tracker_named(connection, name)


def _named(services: ApiServices, name: str) -> dict[str, str]:
    return {"TrackerName": name, "TrackerArn": services.home.arn(TRACKER, name)}


def _entry(row: TrackerRow) -> dict[str, Any]:
    return {
        "TrackerName": row.name,
        "Description": row.description,
        **PRICING,
        "CreateTime": row.created_time,
        "UpdateTime": row.updated_time,
    }


def _values(request: Mapping[str, Any]) -> TrackerValues:
    return {VALUES[name]: value for name, value in request.items() if name in VALUES}  # type: ignore[return-value]  # by table
