"""Where devices are, have been, and how they are forgotten."""

from typing import Any

from tests.service.api.ground import Ground, feature_collection, position, square


def ids(collection: Any) -> list[str]:
    return [feature["id"] for feature in collection["features"]]


def test_a_device_is_a_feature_at_its_latest_position(ground: Ground) -> None:
    ground.client.post("/v1/geofences", json=feature_collection(square("alps", 10, 46)))
    ground.post_positions(
        position("4ca7b3", "05:00:10", 10.5, 46.5, accuracy=10, callsign="TOM2XE"),
        position("4ca7b3", "05:00:00", 9.5, 46.5),
    )
    feature = ground.get("/v1/devices/4ca7b3")
    received = feature["properties"].pop("receivedTime")
    assert received.endswith("Z")
    assert feature == {
        "type": "Feature",
        "id": "4ca7b3",
        "geometry": {"type": "Point", "coordinates": [10.5, 46.5]},
        "properties": {
            "deviceId": "4ca7b3",
            "sampleTime": "2018-08-01T05:00:10.000Z",
            "accuracy": 10.0,
            "reported": {"callsign": "TOM2XE"},
            "inside": [{"collectionName": "default", "geofenceId": "alps"}],
        },
    }


def test_a_device_that_was_never_heard_of_is_named(ground: Ground) -> None:
    assert "nobody" in ground.problem(404, "GET", "/v1/devices/nobody")["detail"]
    assert "nobody" in ground.problem(404, "GET", "/v1/devices/nobody/positions")["detail"]


def test_what_a_device_reported_comes_back_as_it_was_sent(ground: Ground) -> None:
    reported = {"big": 2**70, "small": 1e-7, "deep": {"list": [1, None, "ü\n"]}}
    ground.post_positions(position("x", "05:00:00", 1, 2, **reported))
    assert ground.get("/v1/devices/x")["properties"]["reported"] == reported


BOXES = [
    ("5.9,45.8,10.5,47.8", ["inland"]),
    ("170,-20,-170,20", ["east", "line", "west"]),
    ("170,-20,180,20", ["east", "line"]),
    ("-180,-20,-170,20", ["line", "west"]),
    ("-180,-90,180,90", ["inland", "east", "line", "west"]),
    ("8,47,8,47", ["inland"]),
    ("0,0,1,1", []),
]


def test_a_bounding_box_may_pass_the_antimeridian(ground: Ground) -> None:
    ground.post_positions(
        position("inland", "05:00:00", 8, 47),
        position("east", "05:00:00", 175, 0),
        position("line", "05:00:00", 180, 0),
        position("west", "05:00:00", -175, 0),
    )
    for bbox, found in BOXES:
        assert ids(ground.get("/v1/devices", bbox=bbox)) == found


def test_a_bounding_box_that_is_none_is_refused(ground: Ground) -> None:
    for bbox in ["1,2,3", "1,2,3,4,5,6", "a,b,c,d", "0,9,1,5", "181,0,1,1", "0,0,nan,1", ""]:
        problem = ground.problem(400, "GET", "/v1/devices", params={"bbox": bbox})
        assert "west,south,east,north" in problem["detail"]


def test_since_leaves_out_those_measured_before(ground: Ground) -> None:
    ground.post_positions(position("early", "05:00:00", 1, 1), position("late", "05:00:01", 1, 1))
    for since in ("2018-08-01T05:00:01Z", "2018-08-01T07:00:01+02:00", "1533099601", "1533099601000"):
        assert ids(ground.get("/v1/devices", since=since)) == ["late"]


def test_a_time_that_is_none_is_refused(ground: Ground) -> None:
    for since in ["2018-08-01", "2018-08-01T05:00:00", "soon", "1e400", "9" * 20]:
        assert "ISO 8601" in ground.problem(400, "GET", "/v1/devices", params={"since": since})["detail"]


def test_the_resume_cursor_gives_the_devices_that_have_moved_since(ground: Ground) -> None:
    empty = ground.get("/v1/devices")
    assert (empty["features"], empty["nextCursor"]) == ([], None)
    ground.post_positions(position("a", "05:00:00", 1, 1), position("b", "05:00:00", 1, 1))
    both = ground.get("/v1/devices", cursor=empty["resumeCursor"])
    assert ids(both) == ["a", "b"]
    ground.post_positions(position("a", "05:00:01", 2, 1))
    moved = ground.get("/v1/devices", cursor=both["resumeCursor"])
    assert ids(moved) == ["a"]
    assert ids(ground.get("/v1/devices", cursor=moved["resumeCursor"])) == []


def test_history_is_in_the_order_of_measurement(ground: Ground) -> None:
    ground.post_positions(
        position("x", "05:00:02", 3, 1),
        position("x", "05:00:00", 1, 1, accuracy=5, callsign="A"),
        position("x", "05:00:01", 2, 1),
    )
    page = ground.get("/v1/devices/x/positions", limit=2)
    first = page["items"][0]
    assert first.pop("receivedTime").endswith("Z")
    assert first.pop("revision") is not None
    assert first == {
        "deviceId": "x",
        "sampleTime": "2018-08-01T05:00:00.000Z",
        "position": [1.0, 1.0],
        "accuracy": 5.0,
        "properties": {"callsign": "A"},
        "late": False,
    }
    rest = ground.get("/v1/devices/x/positions", limit=2, cursor=page["nextCursor"])
    assert [each["position"] for each in rest["items"]] == [[3.0, 1.0]]
    assert rest["nextCursor"] is None


def test_history_begins_at_start_and_ends_before_end(ground: Ground) -> None:
    ground.post_positions(*(position("x", f"05:00:0{second}", second, 1) for second in range(4)))
    part = ground.get("/v1/devices/x/positions", start="2018-08-01T05:00:01Z", end="2018-08-01T05:00:03Z")
    assert [each["position"][0] for each in part["items"]] == [1, 2]


def test_a_fix_that_came_after_its_turn_is_marked_late(ground: Ground) -> None:
    ground.post_positions(position("x", "05:00:10", 1, 1))
    ground.post_positions(position("x", "05:00:00", 1, 1))
    history = ground.get("/v1/devices/x/positions")["items"]
    assert [each["late"] for each in history] == [True, False]


def test_forgetting_a_device_leaves_nothing_of_it(ground: Ground) -> None:
    ground.client.post("/v1/geofences", json=feature_collection(square("alps", 10, 46)))
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5), position("x", "05:00:00", 11, 46.5))
    assert ground.client.delete("/v1/devices/x").status_code == 204
    assert ground.get("/v1/devices")["features"] == []
    assert ground.get("/v1/events")["items"] == []
    assert ground.get("/v1/rejects")["items"] == []
    ground.problem(404, "DELETE", "/v1/devices/x")
    again = ground.post_positions(position("x", "05:00:00", 10.5, 46.5))
    assert [each["reason"] for each in again["rejected"]] == ["forgotten"]
