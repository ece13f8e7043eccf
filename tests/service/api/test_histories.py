"""All positions with the revision that each met, and all revisions, page by page."""

from typing import Any

from tests.service.api.ground import Ground, feature_collection, position, square


def walked(ground: Ground, path: str, **query: str | int) -> list[Any]:
    """The items of all pages."""
    items, cursor = [], {}
    while True:
        page = ground.get(path, **query, **cursor)
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        cursor = {"cursor": page["nextCursor"]}


def test_positions_come_device_by_device_with_the_revision_that_each_met(ground: Ground) -> None:
    ground.post_positions(
        position("b", "05:00:01", 10.5, 46.5, altitude=300), position("a", "05:00:00", 1, 2)
    )
    ground.client.put("/v1/geofences/west", json=square("west", 10, 46))
    ground.post_positions(position("b", "05:00:02", 10.5, 46.5, accuracy=5), position("b", "05:00:00", 0, 0))
    items = walked(ground, "/v1/positions", limit=2)
    assert [
        (each["deviceId"], each["sampleTime"][17:19], each["revision"], each["late"]) for each in items
    ] == [
        ("b", "00", None, True),
        ("b", "01", 1, False),
        ("b", "02", 2, False),
        ("a", "00", 1, False),
    ]
    received = items[1].pop("receivedTime")
    assert received > "2018"
    assert items[1] == {
        "deviceId": "b",
        "sampleTime": "2018-08-01T05:00:01.000Z",
        "position": [10.5, 46.5],
        "accuracy": None,
        "properties": {"altitude": 300},
        "late": False,
        "revision": 1,
        "trackerName": "default",
    }


def test_positions_of_other_trackers_and_those_that_wait_are_not_among_them(ground: Ground) -> None:
    ground.catalog.create_tracker("ships")
    ground.post_positions(position("a", "05:00:00", 1, 2), tracker="ships")
    ground.client.post("/v1/positions", json=[position("b", "05:00:00", 1, 2)])
    assert walked(ground, "/v1/positions") == []
    assert [each["deviceId"] for each in walked(ground, "/v1/positions", tracker="ships")] == ["a"]
    assert "ferries" in ground.problem(404, "GET", "/v1/positions", params={"tracker": "ferries"})["detail"]


def test_revisions_say_what_each_changed_from_the_first_link_on(ground: Ground) -> None:
    ground.client.post("/v1/geofences", json=feature_collection(square("b", 1, 1), square("a", 2, 1)))
    ground.client.delete("/v1/geofences/b")
    ground.client.delete("/v1/trackers/default/collections/default")
    items = walked(ground, "/v1/revisions", limit=1)
    told = [(each["revision"], each["kind"], each["trackerName"], each["geofenceId"]) for each in items]
    assert told == [
        (1, "link", "default", None),
        (2, "put", None, "b"),
        (2, "put", None, "a"),
        (3, "delete", None, "b"),
        (4, "unlink", "default", None),
    ]
    assert {each["collectionName"] for each in items} == {"default"}
    assert items[1]["feature"]["geometry"] == square("b", 1, 1)["geometry"]
    assert items[3]["feature"] is None


def test_revisions_of_what_was_deleted_with_its_collection_or_tracker_name_nothing(ground: Ground) -> None:
    for name in ("create_tracker", "create_collection"):
        getattr(ground.catalog, name)("gone")
    ground.catalog.link("gone", "gone")
    ground.client.put("/v1/geofences/x", params={"collection": "gone"}, json=square("x", 1, 1))
    ground.client.delete("/v1/trackers/gone")
    ground.client.delete("/v1/collections/gone")
    items = walked(ground, "/v1/revisions")[1:]
    assert [(each["revision"], each["kind"]) for each in items] == [
        (2, "link"),
        (3, "put"),
        (4, "unlink"),
        (5, "delete"),
    ]
    names = ("trackerName", "collectionName", "geofenceId", "feature")
    assert {each[name] for each in items for name in names} == {None}


def test_revisions_that_come_later_are_found_from_the_resume_cursor_on(ground: Ground) -> None:
    cursor = ground.get("/v1/revisions")["resumeCursor"]
    ground.client.put("/v1/geofences/west", json=square("west", 10, 46))
    assert [each["revision"] for each in ground.get("/v1/revisions", cursor=cursor)["items"]] == [2]
    assert "another list" in ground.problem(400, "GET", "/v1/positions", params={"cursor": cursor})["detail"]
