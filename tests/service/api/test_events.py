"""Events, as they are asked for."""

import pytest

from tests.service.api.ground import Ground, feature_collection, position, square


@pytest.fixture
def crossed(ground: Ground) -> Ground:
    """Devices a and b have crossed west (10 to 11) and a has crossed east (12 to 13)."""
    ground.client.post(
        "/v1/geofences", json=feature_collection(square("west", 10, 46), square("east", 12, 46))
    )
    ground.post_positions(
        position("a", "05:00:00", 10.5, 46.5),
        position("a", "05:00:01", 12.5, 46.5),
        position("a", "05:00:02", 14, 46.5),
    )
    ground.post_positions(position("b", "05:00:01", 10.5, 46.5))
    return ground


def crossings(ground: Ground, **query: str | int) -> list[str]:
    events = ground.get("/v1/events", **query)["items"]
    return [f"{each['deviceId']} {each['eventType']} {each['geofenceId']}" for each in events]


ALL = ["a ENTER west", "a EXIT west", "a ENTER east", "a EXIT east", "b ENTER west"]


def test_an_event_is_native(crossed: Ground) -> None:
    event = crossed.get("/v1/events", limit=1)["items"][0]
    assert len(event.pop("eventId")) == 32
    assert list(event.items()) == [
        ("eventType", "ENTER"),
        ("trackerName", "default"),
        ("collectionName", "default"),
        ("deviceId", "a"),
        ("geofenceId", "west"),
        ("sampleTime", "2018-08-01T05:00:00.000Z"),
        ("position", [10.5, 46.5]),
    ]


def test_a_stay_and_a_crossing_between_two_positions_are_events_too(ground: Ground) -> None:
    ground.client.patch("/v1/collections/default", json={"crossing": "segment", "maxSpeed": 1_000_000})
    yard = square("yard", 10, 46, dwellSeconds=2)
    ground.client.post("/v1/geofences", json=feature_collection(yard))
    ground.post_positions(
        position("a", "05:00:00", 9.5, 46.5),
        position("a", "05:00:04", 10.5, 46.5),
        position("a", "05:00:05", 10.5, 46.6),
    )
    assert crossings(ground) == ["a ENTER yard", "a DWELL yard"]
    (enter,) = ground.get("/v1/events", type="ENTER")["items"]
    assert (enter["sampleTime"], enter["position"]) == ("2018-08-01T05:00:02.000Z", [10, 46.5])
    assert enter["interpolated"] is True
    (dwell,) = ground.get("/v1/events", type="DWELL")["items"]
    assert dwell["sampleTime"] == "2018-08-01T05:00:04.000Z"
    assert "interpolated" not in dwell


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ALL),
    ({"device": "b"}, ALL[4:]),
    ({"device": "nobody"}, []),
    ({"geofence": "east"}, ALL[2:4]),
    ({"type": "EXIT"}, [ALL[1], ALL[3]]),
    ({"collection": "default"}, ALL),
    ({"start": "2018-08-01T05:00:01Z"}, ALL[1:]),
    ({"end": "2018-08-01T05:00:01Z"}, ALL[:1]),
    ({"start": "2018-08-01T05:00:01Z", "end": "2018-08-01T05:00:02Z"}, [ALL[1], ALL[2], ALL[4]]),
    ({"device": "a", "geofence": "west", "type": "ENTER"}, ALL[:1]),
]


def test_filters_say_which_events(crossed: Ground) -> None:
    for query, found in FILTERS:
        assert crossings(crossed, **query) == found


def test_an_unknown_name_is_named(ground: Ground) -> None:
    for name in ("tracker", "collection"):
        problem = ground.problem(404, "GET", "/v1/events", params={name: "atlantis"})
        assert "atlantis" in problem["detail"]


def test_a_filter_that_cannot_be_is_refused(ground: Ground) -> None:
    for query in [{"type": "INSIDE"}, {"device": "a b"}, {"geofence": "\0"}, {"start": "x"}]:
        problem = ground.problem(400, "GET", "/v1/events", params=query)
        assert problem["errors"][0]["parameter"] in query


def test_paging_and_resuming_skips_nothing(crossed: Ground) -> None:
    seen, cursor = [], None
    while True:
        page = crossed.get("/v1/events", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += page["items"]
        cursor = page["resumeCursor"]
        if page["nextCursor"] is None:
            break
        assert page["nextCursor"] == cursor
    assert [each["deviceId"] for each in seen] == ["a", "a", "a", "a", "b"]
    assert crossings(crossed, cursor=cursor) == []
    crossed.post_positions(position("b", "05:00:05", 14, 46.5))
    assert crossings(crossed, cursor=cursor) == ["b EXIT west"]


def test_a_list_that_is_empty_can_be_resumed(ground: Ground) -> None:
    page = ground.get("/v1/events")
    assert (page["items"], page["nextCursor"]) == ([], None)
    ground.client.post("/v1/geofences", json=feature_collection(square("west", 10, 46)))
    ground.post_positions(position("a", "05:00:00", 10.5, 46.5))
    assert crossings(ground, cursor=page["resumeCursor"]) == ["a ENTER west"]
