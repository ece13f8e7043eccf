"""Geofence collections as boto3 asks for them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.amazon import differs, same
from tests.service.api.ground import Ground, feature_collection, square
from tests.service.location.clients import error_of

ARN = "arn:aws:geo:us-east-1:000000000000:geofence-collection/zones"


@same("CreateGeofenceCollection", "DescribeGeofenceCollection")
def test_a_collection_is_described_as_it_was_created(location: Any, ground: Ground) -> None:
    created = location.create_geofence_collection(
        CollectionName="zones", Description="all", Tags={"a": "b"}, KmsKeyId="key"
    )
    assert (created["CollectionName"], created["CollectionArn"]) == ("zones", ARN)
    squares = feature_collection(square("A", 1, 2), square("B", 3, 4))
    ground.client.post("/v1/geofences", json=squares, params={"collection": "zones"})
    ground.client.delete("/v1/geofences/B", params={"collection": "zones"})
    described = location.describe_geofence_collection(CollectionName="zones")
    del described["ResponseMetadata"]
    assert described.pop("CreateTime") == described.pop("UpdateTime") == created["CreateTime"]
    assert described == {
        "CollectionName": "zones",
        "CollectionArn": ARN,
        "Description": "all",
        "PricingPlan": "RequestBasedUsage",
        "PricingPlanDataSource": "",
        "KmsKeyId": "key",
        "Tags": {"a": "b"},
        "GeofenceCount": 1,
    }


def test_an_update_leaves_what_it_does_not_name(location: Any) -> None:
    location.create_geofence_collection(CollectionName="zones", Tags={"a": "b"})
    assert location.describe_geofence_collection(CollectionName="zones")["Description"] == ""
    updated = location.update_geofence_collection(CollectionName="zones", Description="some")
    assert updated["CollectionArn"] == ARN
    location.update_geofence_collection(CollectionName="zones")
    described = location.describe_geofence_collection(CollectionName="zones")
    assert (described["Description"], described["Tags"]) == ("some", {"a": "b"})
    assert described["UpdateTime"] >= updated["UpdateTime"]


@same("ListGeofenceCollections")
def test_collections_are_listed_page_by_page(location: Any) -> None:
    for name in ("a", "b"):
        location.create_geofence_collection(CollectionName=name)
    pages = list(
        location.get_paginator("list_geofence_collections").paginate(PaginationConfig={"PageSize": 1})
    )
    assert [[entry["CollectionName"] for entry in page["Entries"]] for page in pages] == [
        ["default"],
        ["a"],
        ["b"],
    ]


@same("DeleteGeofenceCollection")
def test_a_collection_that_trackers_watch_is_deleted_and_they_watch_it_no_longer(location: Any) -> None:
    location.create_geofence_collection(CollectionName="zones")
    location.associate_tracker_consumer(TrackerName="default", ConsumerArn=ARN)
    location.delete_geofence_collection(CollectionName="zones")
    consumers = location.list_tracker_consumers(TrackerName="default")["ConsumerArns"]
    assert consumers == [ARN.replace("zones", "default")]
    for ask in (
        location.describe_geofence_collection,
        location.update_geofence_collection,
        location.delete_geofence_collection,
    ):
        with pytest.raises(location.exceptions.ResourceNotFoundException):
            ask(CollectionName="zones")


@differs("The collection `default` always exists.", "DeleteGeofenceCollection")
def test_the_collection_that_always_exists_is_not_deleted_or_created(location: Any) -> None:
    with pytest.raises(location.exceptions.ValidationException) as raised:
        location.delete_geofence_collection(CollectionName="default")
    assert "always exists" in raised.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as conflict:
        location.create_geofence_collection(CollectionName="default")
    assert error_of(conflict.value) == ("ConflictException", 409)
