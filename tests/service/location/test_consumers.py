"""Which collections a tracker watches, as boto3 asks for it."""

from typing import Any

import pytest

from tests.amazon import same
from tests.service.api.ground import Ground

HOME = "arn:aws:geo:us-east-1:000000000000:"


def arn(name: str) -> str:
    return f"{HOME}geofence-collection/{name}"


@same("AssociateTrackerConsumer", "DisassociateTrackerConsumer", "ListTrackerConsumers")
def test_a_collection_that_is_associated_is_listed_until_it_is_disassociated(location: Any) -> None:
    location.create_tracker(TrackerName="trucks")
    for name in ("a", "b.c", "d"):
        location.create_geofence_collection(CollectionName=name)
        location.associate_tracker_consumer(TrackerName="trucks", ConsumerArn=arn(name))
    location.disassociate_tracker_consumer(TrackerName="trucks", ConsumerArn=arn("a"))
    pages = location.get_paginator("list_tracker_consumers").paginate(
        TrackerName="trucks", PaginationConfig={"PageSize": 1}
    )
    assert [page["ConsumerArns"] for page in pages] == [[arn("b.c")], [arn("d")]]


@same("AssociateTrackerConsumer", "DisassociateTrackerConsumer")
def test_what_is_associated_already_or_not_at_all_is_said(location: Any) -> None:
    with pytest.raises(location.exceptions.ConflictException):
        location.associate_tracker_consumer(TrackerName="default", ConsumerArn=arn("default"))
    location.create_geofence_collection(CollectionName="zones")
    with pytest.raises(location.exceptions.ResourceNotFoundException):
        location.disassociate_tracker_consumer(TrackerName="default", ConsumerArn=arn("zones"))


@same("AssociateTrackerConsumer", "DisassociateTrackerConsumer")
@pytest.mark.parametrize(
    "consumer",
    [
        arn("nobody"),
        arn("default").replace("us-east-1", "eu-west-1"),
        "arn:aws:s3:::geofence-collection/default",
        f"{HOME}geofence-collection",
        f"{HOME}geofence-collection/default/x",
        f"{HOME}place-index/default",
    ],
)
def test_a_collection_that_is_not_here_is_not_found(location: Any, consumer: str) -> None:
    with pytest.raises(location.exceptions.ResourceNotFoundException):
        location.associate_tracker_consumer(TrackerName="default", ConsumerArn=consumer)
    with pytest.raises(location.exceptions.ResourceNotFoundException):
        location.disassociate_tracker_consumer(TrackerName="default", ConsumerArn=consumer)


def test_a_collection_of_another_account_is_not_ours_to_touch(location: Any) -> None:
    consumer = arn("default").replace("000000000000", "123456789012")
    for ask in (location.associate_tracker_consumer, location.disassociate_tracker_consumer):
        with pytest.raises(location.exceptions.AccessDeniedException):
            ask(TrackerName="default", ConsumerArn=consumer)


def test_a_tracker_is_no_consumer(location: Any) -> None:
    for consumer in (f"{HOME}tracker/default", "default"):
        with pytest.raises(location.exceptions.ValidationException) as raised:
            location.associate_tracker_consumer(TrackerName="default", ConsumerArn=consumer)
        assert [field["Name"] for field in raised.value.response["FieldList"]] == ["ConsumerArn"]


@same("DeleteTracker")
def test_a_tracker_that_is_deleted_takes_its_links_along(location: Any, ground: Ground) -> None:
    location.create_tracker(TrackerName="trucks")
    location.associate_tracker_consumer(TrackerName="trucks", ConsumerArn=arn("default"))
    location.delete_tracker(TrackerName="trucks")
    linked = ground.get("/v1/collections/default/trackers")["items"]
    assert [item["trackerName"] for item in linked] == ["default"]
