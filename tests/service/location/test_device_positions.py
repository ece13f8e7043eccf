"""Positions of devices by Amazon Location's API, through boto3, on both stores."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.location.limits import Limits
from tests.amazon import differs, same
from tests.service.api.ground import Ground, grounded
from tests.service.checking.checked import checked
from tests.service.location.clients import error_of, location_client
from tests.service.workshop import box
from tests.stores import Store

NOW = datetime.now(UTC).replace(microsecond=123_000) - timedelta(minutes=30)


@pytest.fixture
def vans(ground: Ground, location: Any) -> Any:
    """A client, and a tracker `vans` that stores all, linked to a collection with the geofence `yard`."""
    ground.catalog.create_tracker("vans")
    ground.catalog.create_collection("sites")
    ground.catalog.put("sites", [box("yard", 7, 8, 46, 47)])
    ground.catalog.link("vans", "sites")
    return location


def update(
    device_id: str, longitude: float = 7.5, seconds: float = 0, latitude: float = 46.5, **more: Any
) -> dict[str, Any]:
    time = NOW + timedelta(seconds=seconds)
    return {"DeviceId": device_id, "SampleTime": time, "Position": [longitude, latitude], **more}


def post(location: Any, *updates: dict[str, Any], tracker: str = "vans") -> list[Any]:
    """The errors."""
    errors: list[Any] = location.batch_update_device_position(TrackerName=tracker, Updates=updates)["Errors"]
    return errors


def latest(location: Any, device_id: str) -> Any:
    return location.get_device_position(TrackerName="vans", DeviceId=device_id)


def history(location: Any, device_id: str, **more: Any) -> list[Any]:
    """Seconds of SampleTime."""
    request = {"TrackerName": "vans", "DeviceId": device_id, **more}
    pages = location.get_paginator("get_device_position_history").paginate(**request)
    return [(each["SampleTime"] - NOW).total_seconds() for page in pages for each in page["DevicePositions"]]


def refused(call: Any, **request: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return error_of(caught.value)


@same("BatchUpdateDevicePosition", "GetDevicePosition")
def test_a_position_comes_back_as_it_was_sent(ground: Ground, vans: Any) -> None:
    sent = update("van", Accuracy={"Horizontal": 12.5}, PositionProperties={"fuel": "half", "driver": "Zoë"})
    assert post(vans, sent) == []

    shown = latest(vans, "van")
    received = shown.pop("ReceivedTime")
    assert abs((datetime.now(UTC) - received).total_seconds()) < 60
    assert {name: value for name, value in shown.items() if name != "ResponseMetadata"} == sent
    assert ground.get("/v1/devices/van", tracker="vans")["properties"]["reported"] == {
        "driver": "Zoë",
        "fuel": "half",
    }


@same("BatchUpdateDevicePosition")
def test_what_is_sent_is_evaluated_in_its_commit_and_told_once(ground: Ground, vans: Any) -> None:
    crossing = [update("van", 6), update("van", 7.5, 1), update("van", 9, 2)]
    post(vans, *reversed(crossing))
    post(vans, *crossing)

    told = ground.get("/v1/events", tracker="vans")["items"]
    assert [(each["eventType"], each["geofenceId"]) for each in told] == [("ENTER", "yard"), ("EXIT", "yard")]
    assert checked(ground.database)[1] == []


@same("BatchUpdateDevicePosition", "GetDevicePosition")
def test_an_older_position_does_not_move_the_latest_back(vans: Any) -> None:
    post(vans, update("van", 7, 10))
    post(vans, update("van", 8, 5))

    assert latest(vans, "van")["Position"] == [7, 46.5]
    assert history(vans, "van") == [5, 10]


@differs(
    "Of two positions of a device with one SampleTime the first one stands: another is a ConflictError, the "
    "same is taken as repeated. A SampleTime beyond OVERFLY_MAX_AHEAD is a ValidationError.",
    "BatchUpdateDevicePosition",
)
def test_each_bad_update_is_named_and_the_others_are_stored(vans: Any) -> None:
    post(vans, update("van", 7, 0))
    errors = post(
        vans,
        update("van", 8, 0),
        update("ahead", seconds=7200),
        update("north", latitude=90.5),
        update("east", 181),
        update("fine"),
    )

    assert [(each["DeviceId"], each["Error"]["Code"]) for each in errors] == [
        ("ahead", "ValidationError"),
        ("north", "ValidationError"),
        ("east", "ValidationError"),
        ("van", "ConflictError"),
    ]
    assert errors[0]["SampleTime"] == NOW + timedelta(hours=2)
    assert "latitude 90.5 at item 2: expected -90..90" in errors[1]["Error"]["Message"]
    assert latest(vans, "fine")["Position"] == [7.5, 46.5]


def test_what_is_refused_is_listed_among_the_rejects(ground: Ground, vans: Any) -> None:
    post(vans, update("north", latitude=90.5, Accuracy={"Horizontal": 3}))

    (reject,) = ground.get("/v1/rejects", tracker="vans")["items"]
    assert (reject["reason"], '"Position":[7.5,90.5]' in reject["payload"]) == ("bad_latitude", True)


@same("BatchGetDevicePosition")
def test_batch_get_leaves_out_devices_without_a_position(vans: Any) -> None:
    post(vans, update("a"), update("b", 8))
    found = vans.batch_get_device_position(TrackerName="vans", DeviceIds=["b", "nobody", "a"])

    assert [each["DeviceId"] for each in found["DevicePositions"]] == ["b", "a"]
    assert found["Errors"] == []


@same("GetDevicePositionHistory")
@differs(
    "A device that is not known has an empty history. Positions come in the order of SampleTime.",
    "GetDevicePositionHistory",
)
def test_history_is_of_the_last_day_unless_told_otherwise_and_ends_before_its_end(vans: Any) -> None:
    day = 86_400
    post(vans, *(update("van", seconds=seconds) for seconds in (-31 * day, -2 * day, 0, 1, 2)))

    assert history(vans, "van") == [0, 1, 2]
    part = {"StartTimeInclusive": NOW, "EndTimeExclusive": NOW + timedelta(seconds=2)}
    assert history(vans, "van", **part) == [0, 1]
    assert history(vans, "van", StartTimeInclusive=NOW - timedelta(days=40)) == [-2 * day, 0, 1, 2]
    assert history(vans, "van", PaginationConfig={"PageSize": 1}) == [0, 1, 2]
    assert history(vans, "nobody") == []
    same = {"StartTimeInclusive": NOW, "EndTimeExclusive": NOW}
    assert refused(vans.get_device_position_history, TrackerName="vans", DeviceId="van", **same) == (
        "ValidationException",
        400,
    )


@differs(
    "Positions are not shown 30 days after their SampleTime (`history_days` of OVERFLY_LOCATION_LIMITS); how "
    "long they are kept is OVERFLY_RETENTION_DAYS.",
    "GetDevicePosition",
    "BatchGetDevicePosition",
    "GetDevicePositionHistory",
    "ListDevicePositions",
)
def test_a_position_of_thirty_one_days_ago_is_not_shown(vans: Any) -> None:
    post(vans, update("old", seconds=-31 * 86_400))

    assert refused(vans.get_device_position, TrackerName="vans", DeviceId="old")[1] == 404
    assert vans.list_device_positions(TrackerName="vans")["Entries"] == []


@same("ListDevicePositions")
def test_devices_are_listed_by_pages_and_by_area(vans: Any) -> None:
    post(vans, *(update(f"d{number}", 7 + number / 10) for number in range(5)))
    post(vans, update("far", -179.5, latitude=10))

    pages = vans.get_paginator("list_device_positions").paginate(
        TrackerName="vans", PaginationConfig={"PageSize": 2}
    )
    entries = [each for page in pages for each in page["Entries"]]
    assert [each["DeviceId"] for each in entries] == ["d0", "d1", "d2", "d3", "d4", "far"]
    assert "ReceivedTime" not in entries[0]

    def within(*rings: list[list[float]], **more: Any) -> list[str]:
        answer = vans.list_device_positions(
            TrackerName="vans", FilterGeometry={"Polygon": list(rings)}, **more
        )
        return [each["DeviceId"] for each in answer["Entries"]]

    square = [[7.1, 46], [7.3, 46], [7.3, 47], [7.1, 47], [7.1, 46]]
    hole = [[7.15, 46.4], [7.15, 46.6], [7.25, 46.6], [7.25, 46.4], [7.15, 46.4]]
    triangle = [[7.05, 46], [7.5, 46], [7.05, 47], [7.05, 46]]
    assert within(square) == ["d1", "d2", "d3"]
    assert within(square, hole) == ["d1", "d3"]
    assert within(square, MaxResults=2) == ["d1", "d2"]
    assert within(triangle) == ["d1", "d2"]


def test_an_area_that_is_none_is_refused(vans: Any) -> None:
    open_ring = [[7.0, 46.0], [8.0, 46.0], [8.0, 47.0], [7.0, 47.0]]
    many = [[7 + number / 2000, 46.0] for number in range(1000)] + [[7.5, 47.0], [7.0, 46.0]]
    for ring in (open_ring, many):
        area = {"Polygon": [ring]}
        assert refused(vans.list_device_positions, TrackerName="vans", FilterGeometry=area) == (
            "ValidationException",
            400,
        )


@differs(
    "The latest position goes with the history; what was measured up to then is refused (ValidationError), "
    "so that a message that comes again does not bring it back. A device without history is no error.",
    "BatchDeleteDevicePositionHistory",
)
def test_a_deleted_history_takes_the_latest_position_along_but_not_the_state(
    ground: Ground, vans: Any
) -> None:
    post(vans, update("van", 6), update("van", 7.5, 1), update("other"))
    sent = update("van", 7.6, 2)
    post(vans, sent)
    assert (
        vans.batch_delete_device_position_history(TrackerName="vans", DeviceIds=["van", "nobody"])["Errors"]
        == []
    )

    assert refused(vans.get_device_position, TrackerName="vans", DeviceId="van")[1] == 404
    assert history(vans, "van") == []
    assert [each["DeviceId"] for each in vans.list_device_positions(TrackerName="vans")["Entries"]] == [
        "other"
    ]
    assert ground.client.get("/v1/devices/van", params={"tracker": "vans"}).status_code == 404
    assert [each["Error"]["Code"] for each in post(vans, sent)] == ["ValidationError"]
    assert checked(ground.database)[1] == []

    post(vans, update("van", 7.7, 3))  # no ENTER again: it was inside
    assert latest(vans, "van")["Position"] == [7.7, 46.5]
    assert history(vans, "van") == [3]
    types = [each["eventType"] for each in ground.get("/v1/events", tracker="vans")["items"]]
    assert types.count("ENTER") == 2  # of van and of other
    assert checked(ground.database)[1] == []


@same("BatchUpdateDevicePosition", "GetDevicePositionHistory")
def test_a_tracker_made_here_stores_one_position_in_thirty_seconds(ground: Ground, vans: Any) -> None:
    vans.create_tracker(TrackerName="filtered")
    vans.associate_tracker_consumer(
        TrackerName="filtered", ConsumerArn=_arn(vans.describe_geofence_collection(CollectionName="sites"))
    )
    updates = [update("van", 6), update("van", 7.5, 10), update("van", 6, 30)]
    assert post(vans, *updates, tracker="filtered") == []

    stored = vans.get_device_position_history(TrackerName="filtered", DeviceId="van")["DevicePositions"]
    assert [each["SampleTime"] for each in stored] == [NOW, NOW + timedelta(seconds=30)]
    events = ground.get("/v1/events", tracker="filtered")["items"]
    assert [each["eventType"] for each in events] == ["ENTER", "EXIT"]


def _arn(described: Any) -> str:
    arn: str = described["CollectionArn"]
    return arn


def test_what_many_callers_send_at_once_is_stored_all(ground: Ground, vans: Any) -> None:
    def send(number: int) -> list[Any]:
        return post(vans, *(update(f"d{number}", seconds=each) for each in range(5)))

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(send, range(40))) == [[]] * 40
    assert len(ground.get("/v1/devices", tracker="vans", limit=1000)["features"]) == 40


UNKNOWN = {
    "batch_update_device_position": {"Updates": [update("van")]},
    "get_device_position": {"DeviceId": "van"},
    "batch_get_device_position": {"DeviceIds": ["van"]},
    "get_device_position_history": {"DeviceId": "van"},
    "batch_delete_device_position_history": {"DeviceIds": ["van"]},
    "verify_device_position": {"DeviceState": update("van")},
}


@pytest.mark.parametrize("operation", UNKNOWN)
def test_a_tracker_that_there_is_not_is_not_found(location: Any, operation: str) -> None:
    call = getattr(location, operation)
    assert refused(call, TrackerName="ghosts", **UNKNOWN[operation]) == ("ResourceNotFoundException", 404)


@differs(
    "A tracker that is not there is a ValidationException: no ResourceNotFoundException is declared.",
    "ListDevicePositions",
)
def test_a_list_of_a_tracker_that_there_is_not_is_invalid(location: Any) -> None:
    """The operation declares no ResourceNotFoundException."""
    assert refused(location.list_device_positions, TrackerName="ghosts") == ("ValidationException", 400)


BEYOND: list[tuple[str, dict[str, Any]]] = [
    ("batch_update_device_position", {"Updates": [update("van", seconds=each) for each in range(11)]}),
    ("batch_update_device_position", {"Updates": []}),
    (
        "batch_update_device_position",
        {"Updates": [update("van", PositionProperties={str(each): "x" for each in range(5)})]},
    ),
    ("batch_update_device_position", {"Updates": [update("van", Accuracy={"Horizontal": -1.0})]}),
    ("batch_get_device_position", {"DeviceIds": [f"d{each}" for each in range(11)]}),
    ("batch_delete_device_position_history", {"DeviceIds": [f"d{each}" for each in range(101)]}),
    ("get_device_position_history", {"DeviceId": "van", "MaxResults": 101}),
    ("get_device_position_history", {"DeviceId": "van", "NextToken": "none of ours"}),
    ("list_device_positions", {"MaxResults": 0}),
    ("verify_device_position", {"DeviceState": update("van", latitude=91)}),
]


def test_what_is_beyond_the_model_is_refused_whole(ground: Ground, vans: Any) -> None:
    unchecked = location_client(str(ground.client.base_url), checking=False)
    for operation, request in BEYOND:
        answer = refused(getattr(unchecked, operation), TrackerName="vans", **request)
        assert answer == ("ValidationException", 400), operation
    assert vans.list_device_positions(TrackerName="vans")["Entries"] == []


@pytest.fixture
def lifted(store: Store) -> Iterator[Ground]:
    with grounded(store, limits=Limits(updates_per_batch=50)) as made:
        yield made


def test_an_operator_may_lift_the_ten_of_a_batch(lifted: Ground) -> None:
    lifted.catalog.create_tracker("vans")
    unchecked = location_client(str(lifted.client.base_url), checking=False)

    assert post(unchecked, *(update("van", seconds=each) for each in range(50))) == []
    assert len(history(unchecked, "van")) == 50


def verified(location: Any, **state: Any) -> Any:
    answer = location.verify_device_position(TrackerName="vans", DeviceState=state)
    return answer["InferredState"]


@differs(
    "Cells, access points and the address are checked and not used: what the device says of itself is "
    "inferred, and ProxyDetected is always false.",
    "VerifyDevicePosition",
)
def test_what_a_device_says_of_itself_is_inferred_where_nothing_speaks_against_it(vans: Any) -> None:
    post(vans, update("van", 7.5, Accuracy={"Horizontal": 10}))
    signals = {
        "Ipv4Address": "192.0.2.7",
        "WiFiAccessPoints": [{"MacAddress": "A0:EC:F9:1E:32:C1", "Rss": -75}],
        "CellSignals": {"LteCellDetails": [{"CellId": 128, "Mcc": 262, "Mnc": 2}]},
    }
    state = verified(vans, **update("van", 7.6, 60, Accuracy={"Horizontal": 25}), **signals)

    assert state == {
        "Position": [7.6, 46.5],
        "Accuracy": {"Horizontal": 25},
        "DeviationDistance": 0,
        "ProxyDetected": False,
    }


@differs(
    "Who would have had to go faster than 1,000 m/s from or to the positions stored next to this time is "
    "inferred at the nearer of these, with how far he can have gone as accuracy.",
    "VerifyDevicePosition",
)
def test_who_would_have_had_to_go_too_fast_is_inferred_where_he_was(vans: Any) -> None:
    post(vans, update("van", 7.5, Accuracy={"Horizontal": 10}), update("van", 7.6, 100))
    request = {"TrackerName": "vans", "DeviceState": update("van", 9.5, 10), "DistanceUnit": "Miles"}
    answer = vans.verify_device_position(**request)

    assert answer["InferredState"]["Position"] == [7.5, 46.5]
    assert answer["InferredState"]["Accuracy"] == {"Horizontal": 10 * 1000 + 10}
    assert answer["InferredState"]["DeviationDistance"] == pytest.approx(95.3, abs=0.5)
    assert (answer["DeviceId"], answer["SampleTime"]) == ("van", NOW + timedelta(seconds=10))
    assert (answer["DistanceUnit"], verified(vans, **update("stranger", 9.5))["DeviationDistance"]) == (
        "Miles",
        0,
    )
