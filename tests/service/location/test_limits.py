"""Quotas, here few."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.location.arns import Home
from service.location.limits import Limits
from tests.amazon import same
from tests.service.api.ground import grounded
from tests.service.location.clients import error_of, location_client
from tests.stores import Store

HOME = Home("123456789012", "eu-central-1")


@pytest.fixture
def location(sqlite_store: Store) -> Iterator[Any]:
    limits = Limits(trackers=2, collections=3, consumers=2)
    with grounded(sqlite_store, home=HOME, limits=limits) as ground:
        yield location_client(str(ground.client.base_url))


@same("CreateTracker", "CreateGeofenceCollection", "AssociateTrackerConsumer")
def test_one_more_than_there_may_be_is_over_the_quota(location: Any) -> None:
    quota = location.exceptions.ServiceQuotaExceededException
    location.create_tracker(TrackerName="a")
    with pytest.raises(quota) as raised:
        location.create_tracker(TrackerName="b")
    assert error_of(raised.value) == ("ServiceQuotaExceededException", 402)
    arns = [location.create_geofence_collection(CollectionName=name)["CollectionArn"] for name in ("a", "b")]
    assert arns == [f"arn:aws:geo:eu-central-1:123456789012:geofence-collection/{each}" for each in "ab"]
    with pytest.raises(quota):
        location.create_geofence_collection(CollectionName="c")
    location.associate_tracker_consumer(TrackerName="default", ConsumerArn=arns[0])
    with pytest.raises(quota):
        location.associate_tracker_consumer(TrackerName="default", ConsumerArn=arns[1])
    location.delete_tracker(TrackerName="a")
    location.create_tracker(TrackerName="b")
