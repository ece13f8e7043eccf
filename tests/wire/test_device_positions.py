"""Positions by boto3, with the host prefixes that it adds, at a served process that is killed and started."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.service.location.clients import error_of, location_client
from tests.services import Overfly

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


@pytest.fixture(scope="module")
def overfly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overfly]:
    with Overfly(tmp_path_factory.mktemp("device-positions")) as started:
        yield started


@pytest.fixture(scope="module")
def location(overfly: Overfly) -> Any:
    return location_client(overfly.url)


def update(seconds: float, longitude: float = 7.5) -> dict[str, Any]:
    return {
        "DeviceId": "van",
        "SampleTime": NOW + timedelta(seconds=seconds),
        "Position": [longitude, 46.5],
        "Accuracy": {"Horizontal": 5},
        "PositionProperties": {"fuel": "half"},
    }


def times(location: Any, tracker: str) -> list[float]:
    pages = location.get_paginator("get_device_position_history").paginate(
        TrackerName=tracker, DeviceId="van"
    )
    return [(each["SampleTime"] - NOW).total_seconds() for page in pages for each in page["DevicePositions"]]


def test_every_operation_of_positions(location: Any) -> None:
    of = {"TrackerName": "every"}
    location.create_tracker(**of)
    assert location.batch_update_device_position(**of, Updates=[update(0), update(31)])["Errors"] == []

    got = location.get_device_position(**of, DeviceId="van")
    assert (got["Position"], got["PositionProperties"]) == ([7.5, 46.5], {"fuel": "half"})
    many = location.batch_get_device_position(**of, DeviceIds=["van", "nobody"])
    assert [each["DeviceId"] for each in many["DevicePositions"]] == ["van"]
    assert times(location, "every") == [0, 31]
    assert [each["DeviceId"] for each in location.list_device_positions(**of)["Entries"]] == ["van"]
    state = {name: update(40)[name] for name in ("DeviceId", "SampleTime", "Position")}
    verified = location.verify_device_position(**of, DeviceState=state)
    assert verified["InferredState"]["ProxyDetected"] is False
    assert location.batch_delete_device_position_history(**of, DeviceIds=["van"])["Errors"] == []
    with pytest.raises(ClientError) as caught:
        location.get_device_position(**of, DeviceId="van")
    assert error_of(caught.value) == ("ResourceNotFoundException", 404)


def test_after_a_kill_what_was_answered_is_there_and_what_was_left_out_stays_so(
    overfly: Overfly, location: Any
) -> None:
    location.create_tracker(TrackerName="killed", PositionFiltering="DistanceBased")
    for seconds in range(3):
        location.batch_update_device_position(TrackerName="killed", Updates=[update(seconds)])
    overfly.kill()
    overfly.start()
    sent = [update(1), update(2), update(3), update(4, 7.6)]
    assert location.batch_update_device_position(TrackerName="killed", Updates=sent)["Errors"] == []
    location.batch_update_device_position(TrackerName="killed", Updates=[update(3)])

    assert times(location, "killed") == [0, 4]
    assert overfly.metric("overfly_positions_filtered_total") == 4
