"""Trackers as boto3 asks for them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.amazon import ALL, same
from tests.service.api.ground import Ground
from tests.service.location.clients import error_of, location_client

ARN = "arn:aws:geo:us-east-1:000000000000:tracker/trucks"


@same("CreateTracker", "DescribeTracker")
def test_a_tracker_is_described_as_it_was_created(location: Any) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    created = location.create_tracker(
        TrackerName="trucks",
        Description="all of them",
        Tags={"team": "north", "Größe/1": ""},
        PositionFiltering="AccuracyBased",
        EventBridgeEnabled=True,
        KmsKeyId="key",
        KmsKeyEnableGeospatialQueries=True,
        PricingPlan="MobileAssetTracking",
    )
    assert (created["TrackerName"], created["TrackerArn"]) == ("trucks", ARN)
    described = location.describe_tracker(TrackerName="trucks")
    del described["ResponseMetadata"]
    assert described.pop("CreateTime") == described.pop("UpdateTime") == created["CreateTime"] >= before
    assert described == {
        "TrackerName": "trucks",
        "TrackerArn": ARN,
        "Description": "all of them",
        "Tags": {"team": "north", "Größe/1": ""},
        "PricingPlan": "RequestBasedUsage",
        "PricingPlanDataSource": "",
        "PositionFiltering": "AccuracyBased",
        "EventBridgeEnabled": True,
        "KmsKeyId": "key",
        "KmsKeyEnableGeospatialQueries": True,
    }


@same("CreateTracker", "DescribeTracker")
def test_a_tracker_of_which_nothing_is_said_has_amazons_defaults(location: Any) -> None:
    location.create_tracker(TrackerName="trucks")
    described = location.describe_tracker(TrackerName="trucks")
    assert (described["Description"], described["Tags"]) == ("", {})
    assert (described["PositionFiltering"], described["EventBridgeEnabled"]) == ("TimeBased", False)
    assert "KmsKeyId" not in described


@same("UpdateTracker", "UpdateGeofenceCollection")
def test_an_update_leaves_what_it_does_not_name(location: Any) -> None:
    location.create_tracker(TrackerName="trucks", Description="all", Tags={"a": "b"})
    updated = location.update_tracker(TrackerName="trucks", PositionFiltering="DistanceBased")
    assert (updated["TrackerName"], updated["TrackerArn"]) == ("trucks", ARN)
    described = location.describe_tracker(TrackerName="trucks")
    assert (described["Description"], described["Tags"]) == ("all", {"a": "b"})
    assert described["PositionFiltering"] == "DistanceBased"
    assert described["UpdateTime"] == updated["UpdateTime"]
    location.update_tracker(TrackerName="trucks", Description="")
    assert location.describe_tracker(TrackerName="trucks")["Description"] == ""


@same("ListTrackers")
def test_trackers_are_listed_page_by_page(location: Any) -> None:
    for name in ("a", "b", "c"):
        location.create_tracker(TrackerName=name, Description=f"of {name}")
    first = location.list_trackers(MaxResults=2)
    second = location.list_trackers(MaxResults=2, NextToken=first["NextToken"])
    names = [entry["TrackerName"] for page in (first, second) for entry in page["Entries"]]
    assert names == ["default", "a", "b", "c"]
    assert "NextToken" not in second
    pages = location.get_paginator("list_trackers").paginate(PaginationConfig={"PageSize": 3})
    assert [entry["Description"] for page in pages for entry in page["Entries"]] == [
        "",
        "of a",
        "of b",
        "of c",
    ]


@same(ALL)
def test_a_token_of_another_list_or_of_nobody_is_a_validation_exception(location: Any) -> None:
    for token in ("x", "W10", "eyJh", "é"):
        with pytest.raises(ClientError) as raised:
            location.list_trackers(NextToken=token)
        assert error_of(raised.value) == ("ValidationException", 400)
        assert raised.value.response["Reason"] == "FieldValidationFailed"
        assert [field["Name"] for field in raised.value.response["FieldList"]] == ["NextToken"]


@same("DeleteTracker", "DescribeTracker", "UpdateTracker")
def test_a_tracker_that_is_deleted_is_not_found(location: Any) -> None:
    location.create_tracker(TrackerName="trucks")
    location.delete_tracker(TrackerName="trucks")
    for ask in (location.describe_tracker, location.update_tracker, location.delete_tracker):
        with pytest.raises(location.exceptions.ResourceNotFoundException) as raised:
            ask(TrackerName="trucks")
        assert error_of(raised.value) == ("ResourceNotFoundException", 404)
        assert raised.value.response["Error"]["Message"] == "there is no tracker 'trucks'"


@same("CreateTracker")
def test_a_tracker_exists_once(location: Any) -> None:
    with pytest.raises(location.exceptions.ConflictException) as raised:
        location.create_tracker(TrackerName="default")
    assert error_of(raised.value) == ("ConflictException", 409)
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]


@same(ALL)
def test_every_fault_of_a_request_is_named_at_once(ground: Ground) -> None:
    location = location_client(str(ground.client.base_url), checking=False)
    with pytest.raises(location.exceptions.ValidationException) as raised:
        location.create_tracker(
            TrackerName="é" * 101,
            Tags={"a": "b\0", "": "x"},
            PositionFiltering="None",
            EventBridgeEnabled="true",
        )
    response = raised.value.response
    assert response["Reason"] == "FieldValidationFailed"
    named = {(field["Name"], field["Message"]) for field in response["FieldList"]}
    assert ("TrackerName", "expected at most 100 characters: 101 given") in named
    assert ("TrackerName", r"expected the pattern [-._\w]+") in named
    assert ("PositionFiltering", "expected one of TimeBased, DistanceBased, AccuracyBased") in named
    members = {"TrackerName", "Tags[a]", "Tags[]", "PositionFiltering", "EventBridgeEnabled"}
    assert {name for name, _ in named} == members
    first = [f"{field['Name']}: {field['Message']}" for field in response["FieldList"][:3]]
    shown = response["Error"]["Message"]  # all that the AWS CLI shows
    assert shown.endswith(f"{'; '.join(first)}; and {len(response['FieldList']) - 3} more")


@same("CreateTracker", "CreateGeofenceCollection")
@pytest.mark.parametrize("key", ["aws:team", "AWS:x"])
def test_a_tag_of_amazons_own_is_refused(location: Any, key: str) -> None:
    with pytest.raises(location.exceptions.ValidationException):
        location.create_tracker(TrackerName="trucks", Tags={key: "x"})
