"""Trackers, geofence collections, and the links between them."""

import pytest

from tests.service.api.ground import Ground, feature_collection, position, square

NOUNS = [("trackers", "trackerName"), ("collections", "collectionName")]
BODIES = ["", "{", "[]", "{}", '{"@": ""}', '{"@": "a b"}', '{"@": 1}', '{"@": "a", "b": 1}']


@pytest.mark.parametrize(("noun", "member"), NOUNS)
def test_one_is_created_listed_read_and_deleted(ground: Ground, noun: str, member: str) -> None:
    created = ground.client.post(f"/v1/{noun}", json={member: "trucks"})
    assert created.status_code == 201
    assert created.json()[member] == "trucks"
    assert [each[member] for each in ground.get(f"/v1/{noun}")["items"]] == ["default", "trucks"]
    assert ground.get(f"/v1/{noun}/trucks") == created.json()
    ground.problem(409, "POST", f"/v1/{noun}", json={member: "trucks"})
    assert ground.client.delete(f"/v1/{noun}/trucks").status_code == 204
    ground.problem(404, "GET", f"/v1/{noun}/trucks")
    ground.problem(404, "DELETE", f"/v1/{noun}/trucks")


@pytest.mark.parametrize(("noun", "member"), NOUNS)
def test_the_default_one_stays(ground: Ground, noun: str, member: str) -> None:
    ground.problem(409, "DELETE", f"/v1/{noun}/default")
    assert ground.get(f"/v1/{noun}/default")[member] == "default"


@pytest.mark.parametrize(("noun", "member"), NOUNS)
def test_a_body_that_cannot_be_is_refused(ground: Ground, noun: str, member: str) -> None:
    for body in BODIES:
        ground.problem(400, "POST", f"/v1/{noun}", content=body.replace("@", member))


@pytest.mark.parametrize(("noun", "member"), NOUNS)
def test_the_list_is_walked_in_pages(ground: Ground, noun: str, member: str) -> None:
    for name in ("a", "b"):
        ground.client.post(f"/v1/{noun}", json={member: name})
    first = ground.get(f"/v1/{noun}", limit=2)
    second = ground.get(f"/v1/{noun}", limit=2, cursor=first["nextCursor"])
    assert [each[member] for each in second["items"]] == ["b"]
    assert second["nextCursor"] is None


def test_a_tracker_says_whether_its_positions_are_events_and_can_be_told_otherwise(ground: Ground) -> None:
    assert ground.get("/v1/trackers/default")["positionEvents"] is False
    created = ground.client.post("/v1/trackers", json={"trackerName": "trucks", "positionEvents": True})
    assert created.json()["positionEvents"] is True
    changed = ground.client.patch("/v1/trackers/trucks", json={"positionEvents": False})
    assert (changed.status_code, changed.json()["positionEvents"]) == (200, False)
    assert ground.get("/v1/trackers/trucks") == changed.json()
    assert [each["positionEvents"] for each in ground.get("/v1/trackers")["items"]] == [False, False]


def test_a_tracker_leaves_no_position_out_unless_it_is_told_to(ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "trucks", "positionFiltering": "TimeBased"})
    assert ground.get("/v1/trackers/trucks")["positionFiltering"] == "TimeBased"
    assert ground.get("/v1/trackers/default")["positionFiltering"] is None
    ground.client.patch("/v1/trackers/default", json={"positionFiltering": "AccuracyBased"})
    kept = ground.client.patch("/v1/trackers/default", json={"positionEvents": True}).json()
    assert (kept["positionFiltering"], kept["positionEvents"]) == ("AccuracyBased", True)
    ended = ground.client.patch("/v1/trackers/default", json={"positionFiltering": None}).json()
    assert (ended["positionFiltering"], ended["positionEvents"]) == (None, True)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "body: Input data was truncated: expected an object with positionEvents, positionFiltering"),
        (b"[1]", "body is an array: expected an object"),
        (b'{"positionEvents": 1}', "positionEvents is a whole number: expected true or false"),
        (
            b'{"positionEvents": true, "b": 1}',
            "b is no member of it: expected positionEvents, positionFiltering",
        ),
        (b'{"\xff": 1}', "body: not UTF-8: expected an object with positionEvents, positionFiltering"),
        (
            b'{"positionFiltering": "Time"}',
            "positionFiltering 'Time': expected TimeBased, DistanceBased, AccuracyBased or null",
        ),
    ],
)
def test_a_change_of_a_tracker_that_cannot_be_is_refused(ground: Ground, body: bytes, detail: str) -> None:
    assert ground.problem(400, "PATCH", "/v1/trackers/default", content=body)["detail"] == detail
    ground.problem(404, "PATCH", "/v1/trackers/ships", json={"positionEvents": True})


@pytest.mark.parametrize(
    "path", ["/v1/trackers/trucks/collections/ports", "/v1/collections/ports/trackers/trucks"]
)
def test_a_link_lets_a_tracker_watch_a_collection(ground: Ground, path: str) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "trucks"})
    ground.client.post("/v1/collections", json={"collectionName": "ports"})
    ground.client.post(
        "/v1/geofences", json=feature_collection(square("alps", 10, 46)), params={"collection": "ports"}
    )
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5), tracker="trucks")
    assert ground.client.put(path).status_code == 204
    assert ground.client.put(path).status_code == 204
    collections = ground.get("/v1/trackers/trucks/collections")["items"]
    assert [each["collectionName"] for each in collections] == ["ports"]
    trackers = ground.get("/v1/collections/ports/trackers")["items"]
    assert [each["trackerName"] for each in trackers] == ["trucks"]
    ground.post_positions(position("x", "05:00:01", 10.5, 46.5), tracker="trucks")
    (event,) = ground.get("/v1/events", tracker="trucks", collection="ports")["items"]
    assert (event["trackerName"], event["collectionName"]) == ("trucks", "ports")
    assert ground.get("/v1/events")["items"] == []
    assert ground.client.delete(path).status_code == 204
    assert ground.get("/v1/trackers/trucks/collections")["items"] == []
    assert ground.get("/v1/devices/x", tracker="trucks")["properties"]["inside"] == []
    ground.problem(404, "DELETE", path)


def test_a_link_between_what_is_not_there_is_refused(ground: Ground) -> None:
    assert "trucks" in ground.problem(404, "PUT", "/v1/trackers/trucks/collections/default")["detail"]
    assert "ports" in ground.problem(404, "PUT", "/v1/trackers/default/collections/ports")["detail"]
    ground.problem(404, "GET", "/v1/trackers/trucks/collections")
    ground.problem(404, "GET", "/v1/collections/ports/trackers")


def test_deleting_a_tracker_takes_what_is_its_own(ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "trucks"})
    ground.client.put("/v1/trackers/trucks/collections/default")
    ground.client.put("/v1/geofences/alps", json=square("alps", 10, 46))
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5), tracker="trucks")
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5))
    assert ground.client.delete("/v1/trackers/trucks").status_code == 204
    ground.problem(404, "GET", "/v1/devices", params={"tracker": "trucks"})
    assert len(ground.get("/v1/events")["items"]) == 1
    ground.post_positions(position("x", "05:00:01", 20, 46.5))
    assert len(ground.get("/v1/events")["items"]) == 2


def test_a_collection_says_how_it_is_crossed_and_can_be_told_otherwise(ground: Ground) -> None:
    rule = {"crossing": "fix", "maxGapSeconds": 300, "maxSpeed": 1000}
    assert ground.get("/v1/collections/default").items() >= rule.items()
    ground.client.post("/v1/collections", json={"collectionName": "roads", "crossing": "segment"})
    assert ground.get("/v1/collections/roads").items() >= (rule | {"crossing": "segment"}).items()

    changed = ground.client.patch("/v1/collections/roads", json={"maxGapSeconds": 0.5, "maxSpeed": 50})
    assert changed.status_code == 200
    assert changed.json().items() >= {"crossing": "segment", "maxGapSeconds": 0.5, "maxSpeed": 50}.items()
    assert ground.get("/v1/collections/roads") == changed.json()
    assert ground.get("/v1/collections")["items"][1] == changed.json()
    ground.client.put("/v1/trackers/default/collections/roads")
    assert ground.get("/v1/trackers/default/collections")["items"][1] == changed.json()
    ground.problem(404, "PATCH", "/v1/collections/lanes", json={"crossing": "fix"})


def test_a_change_of_a_collection_is_a_revision_and_no_change_is_none(ground: Ground) -> None:
    before = len(ground.get("/v1/revisions")["items"])
    for change in ({}, {"crossing": "segment"}, {"crossing": "segment"}, {"maxSpeed": 70.5}):
        ground.client.patch("/v1/collections/default", json=change)
    kinds = [
        (each["kind"], each["collectionName"], each["crossing"], each["maxGapSeconds"], each["maxSpeed"])
        for each in ground.get("/v1/revisions")["items"][before:]
    ]
    assert kinds == [
        ("collection", "default", "segment", 300, 1000),
        ("collection", "default", "segment", 300, 70.5),
    ]


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("crossing", "segments", "crossing 'segments': expected fix or segment"),
        ("maxGapSeconds", 0, "maxGapSeconds 0: expected seconds from 0.001 to 86,400"),
        ("maxGapSeconds", 86401, "maxGapSeconds 86401: expected seconds"),
        ("maxSpeed", -1, "maxSpeed -1: expected metres per second above 0 and up to 1,000,000"),
        ("maxSpeed", None, "maxSpeed is null: expected a number"),
        ("speed", 3, "speed is no member of it: expected "),
    ],
)
def test_a_collection_that_cannot_be_crossed_so_is_refused(
    ground: Ground, member: str, value: object, said: str
) -> None:
    new = {"collectionName": "roads", member: value}
    assert said in ground.problem(400, "POST", "/v1/collections", json=new)["detail"]
    assert said in ground.problem(400, "PATCH", "/v1/collections/default", json={member: value})["detail"]
    ground.problem(404, "GET", "/v1/collections/roads")
