"""Positions evaluated against a collection, without a tracker, as boto3 asks for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import func, select

from service.store.schema import device, event, inside, passed_over, position, tracker
from tests.amazon import differs, same
from tests.service.api.ground import Ground, feature_collection, square
from tests.service.checking.checked import checked
from tests.service.location.clients import error_of
from tests.service.workshop import Workshop, box
from tests.stores import Store

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
TABLES = (tracker, device, position, passed_over, inside, event)


def update(device_id: str, second: int, longitude: float, **more: Any) -> dict[str, Any]:
    time = NOW + timedelta(seconds=second)
    return {"DeviceId": device_id, "SampleTime": time, "Position": [longitude, 0.5], **more}


def evaluate(ground: Ground, location: Any, *updates: Any, collection: str = "default") -> list[Any]:
    answer = location.batch_evaluate_geofences(CollectionName=collection, DevicePositionUpdates=list(updates))
    ground.tracker.evaluate_due()
    errors: list[Any] = answer["Errors"]
    return errors


def events(ground: Ground) -> list[tuple[str, str, str, str]]:
    """(type, device, collection, geofence) in order of commit."""
    columns = (event.c.event_type, event.c.device_id, event.c.collection_name, event.c.geofence_id)
    with ground.database.read() as connection:
        rows = connection.execute(select(*columns).order_by(event.c.seq))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def counted(ground: Ground) -> dict[str, int]:
    with ground.database.read() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]
    return dict(zip(map(str, TABLES), counts, strict=True))


@pytest.fixture
def fenced(ground: Ground) -> Ground:
    """Geofence A from longitude 0 to 1 in `default`, and B from 0.5 to 1.5 in `other`."""
    ground.catalog.create_collection("other")
    for name, feature in (("default", square("A", 0, 0)), ("other", square("B", 0.5, 0))):
        body = feature_collection(feature)
        answer = ground.client.post("/v1/geofences", params={"collection": name}, json=body)
        assert answer.status_code == 200, answer.text
    return ground


@same("BatchEvaluateGeofences")
def test_devices_enter_and_leave_a_collection_without_a_tracker(fenced: Ground, location: Any) -> None:
    assert evaluate(fenced, location, update("x", 0, 0.7), update("y", 0, 5.0)) == []
    assert events(fenced) == [("ENTER", "x", "default", "A")]
    assert evaluate(fenced, location, update("x", 10, 0.8), update("y", 10, 0.2)) == []
    assert evaluate(fenced, location, update("x", 30, 0.7), update("x", 20, 5.0)) == []
    in_order = [("ENTER", "y"), ("EXIT", "x"), ("ENTER", "x")]
    assert [each[:2] for each in events(fenced)[1:]] == in_order

    assert evaluate(fenced, location, update("x", 0, 0.7), collection="other") == []
    assert events(fenced)[4:] == [("ENTER", "x", "other", "B")]  # what it knows of a device is its own


@same("BatchEvaluateGeofences")
def test_what_came_after_its_turn_and_what_came_twice_change_nothing(fenced: Ground, location: Any) -> None:
    for updates in ([update("x", 10, 0.7)], [update("x", 10, 0.7)], [update("x", 5, 5.0)]):
        assert evaluate(fenced, location, *updates) == []
    assert events(fenced) == [("ENTER", "x", "default", "A")]


def test_nothing_is_stored_but_what_the_state_needs(fenced: Ground, location: Any) -> None:
    for second in range(5):
        evaluate(fenced, location, update("x", second, 0.5), update("y", second, 5.0))
    evaluate(fenced, location, update("x", 1, 0.5))
    assert counted(fenced) == {
        "tracker": 2,
        "device": 2,
        "position": 0,
        "passed_over": 2,
        "inside": 1,
        "event": 1,
    }
    findings, violations = checked(fenced.database)
    assert violations == [] and findings.proved["devices"] == 2


def test_who_asks_for_trackers_is_not_shown_the_collections_own(fenced: Ground, location: Any) -> None:
    evaluate(fenced, location, update("x", 0, 0.5))
    assert [each["trackerName"] for each in fenced.get("/v1/trackers")["items"]] == ["default"]
    trackers = fenced.get("/v1/collections/default/trackers")["items"]
    assert [each["trackerName"] for each in trackers] == ["default"]
    assert [each["TrackerName"] for each in location.list_trackers()["Entries"]] == ["default"]
    assert fenced.get("/v1/devices")["features"] == []
    revisions = fenced.get("/v1/revisions")["items"]
    assert all(each.get("trackerName") in (None, "default") for each in revisions)
    with pytest.raises(ClientError) as refused:
        location.list_tags_for_resource(ResourceArn="arn:aws:geo:us-east-1:000000000000:tracker/~1")
    assert error_of(refused.value) == ("ResourceNotFoundException", 404)
    for name in ("~1", "%7E1"):
        assert fenced.client.get(f"/v1/trackers/{name}").status_code in (400, 404, 422)


@differs(
    "Events go to every channel, not to EventBridge alone; where they name a tracker it is `~` and a number.",
    "BatchEvaluateGeofences",
)
def test_who_knows_what_events_call_it_reads_its_events_and_forgets_its_devices(
    fenced: Ground, location: Any
) -> None:
    evaluate(fenced, location, update("x", 0, 0.5))
    with fenced.database.read() as connection:
        within = connection.scalar(select(tracker.c.name).where(tracker.c.of_collection.is_not(None)))
    (told,) = fenced.get("/v1/events", tracker=str(within))["items"]
    assert (told["trackerName"], told["eventType"], told["deviceId"]) == (within, "ENTER", "x")
    assert fenced.client.delete("/v1/devices/x", params={"tracker": str(within)}).status_code == 204
    assert counted(fenced)["device"] == counted(fenced)["event"] == 0


def test_a_collection_goes_with_its_devices(fenced: Ground, location: Any) -> None:
    evaluate(fenced, location, update("x", 0, 0.7), collection="other")
    assert counted(fenced)["device"] == 1
    location.delete_geofence_collection(CollectionName="other")
    assert counted(fenced) == {**dict.fromkeys(map(str, TABLES), 0), "tracker": 1}
    with pytest.raises(ClientError) as refused:
        evaluate(fenced, location, update("x", 0, 0.7), collection="other")
    assert error_of(refused.value) == ("ResourceNotFoundException", 404)
    fenced.catalog.create_collection("other")
    assert evaluate(fenced, location, update("x", 0, 0.7), collection="other") == []


@same("BatchEvaluateGeofences")
def test_each_update_that_cannot_be_evaluated_is_named_and_the_others_are(
    fenced: Ground, location: Any
) -> None:
    future = update("c", 86_400, 0.5)
    wrong = {**update("a", 0, 0.5), "Position": [0.5, 90.5]}
    errors = evaluate(
        fenced, location, wrong, update("b", 0, 180.5), future, update("d", 0, 0.5), update("d", 0, 0.6)
    )
    assert [(each["DeviceId"], each["Error"]["Code"]) for each in errors] == [
        ("a", "ValidationError"),
        ("b", "ValidationError"),
        ("c", "ValidationError"),
        ("d", "ConflictError"),
    ]
    assert errors[2]["SampleTime"] == future["SampleTime"]
    assert "latitude 90.5 at item 0: expected -90..90" in errors[0]["Error"]["Message"]
    assert events(fenced) == [("ENTER", "d", "default", "A")]


@same("BatchEvaluateGeofences")
def test_properties_and_accuracy_come_with_the_event(fenced: Ground, location: Any) -> None:
    properties = {"latitude": "high", "deviceId": "another", "😀": "x" * 150}
    more = {"Accuracy": {"Horizontal": 5.5}, "PositionProperties": properties}
    assert evaluate(fenced, location, update("x", 0, 0.5, **more)) == []
    with fenced.database.read() as connection:
        row = connection.execute(select(event.c.accuracy, event.c.properties, event.c.device_id)).one()
    assert (row.accuracy, row.device_id) == (5.5, "x")
    assert row.properties == '{"deviceId":"another","latitude":"high","😀":"' + "x" * 150 + '"}'


@same("BatchEvaluateGeofences")
def test_what_the_collection_knows_of_devices_survives_a_restart(store: Store) -> None:
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    within = workshop.catalog.tracker_in_collection("default")
    assert within == workshop.catalog.tracker_in_collection("default")
    workshop.tracker.post(workshop.fix("x", 0, 5).payload, within)
    workshop.tracker.evaluate_due()
    workshop.reopen()
    workshop.tracker.post(workshop.fix("x", 10, 5).payload, within)
    workshop.tracker.post(workshop.fix("x", 20, 15).payload, within)
    workshop.tracker.evaluate_due()
    assert workshop.events() == [("ENTER", "x", "A", 0), ("EXIT", "x", "A", 20)]
    assert workshop.positions() == []


@same("BatchEvaluateGeofences")
@pytest.mark.parametrize("beyond", [0, 1])
def test_what_a_device_was_inside_of_is_known_for_30_days(store: Store, beyond: int) -> None:
    days = 30 * 86_400_000
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10), box("B", 0, 20)])
    within = workshop.catalog.tracker_in_collection("default")
    for time, longitude in ((-days - beyond, 5), (0, 15), (10, 25)):
        workshop.tracker.post(workshop.fix("x", time, longitude).payload, within)
        workshop.tracker.evaluate_due()
        workshop.reopen()
    known = [("ENTER", "A"), ("ENTER", "B"), ("EXIT", "A"), ("EXIT", "B")]
    not_known = [("ENTER", "A"), ("ENTER", "B"), ("ENTER", "B"), ("EXIT", "B")]
    assert [(kind, geofence) for kind, _, geofence, _ in workshop.events()] == (
        not_known if beyond else known
    )
