"""OsmAnd, Traccar Client and OwnTracks over HTTP: requests as their apps send them."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.service.api.ground import Ground

START = int(time.time()) - 3600
SECOND: Iterator[int] = count()
ANDROID = {"user-agent": "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7 Build/UQ1A.240205.002)"}
OKHTTP = {
    "user-agent": "Owntracks-Android/gms/420503002",
    "content-type": "application/json; charset=utf-8",
    "x-limit-u": "jane",
    "x-limit-d": "panther",
}


def moment() -> int:
    """Epoch seconds, later each time."""
    return START + next(SECOND)


def location(**members: Any) -> dict[str, Any]:
    """What OwnTracks sends."""
    return {
        "_type": "location",
        "acc": 13,
        "alt": 534,
        "batt": 62,
        "lat": 46.94809,
        "lon": 7.44744,
        "t": "u",
        "tid": "er",
        "topic": "owntracks/jane/panther",
        "tst": moment(),
        "vel": 36,
        **members,
    }


def traccar_9(**location: Any) -> dict[str, Any]:
    """What Traccar Client sends from version 9 on."""
    return {
        "location": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.250Z", time.gmtime(moment())),
            "coords": {
                "latitude": 46.94809,
                "longitude": 7.44744,
                "accuracy": 5,
                "speed": 10,
                "heading": 118.5,
                "altitude": 534.2,
            },
            "is_moving": True,
            "odometer": 0,
            "event": "motionchange",
            "battery": {"level": 0.84, "is_charging": False},
            "activity": {"type": "in_vehicle"},
            "extras": {},
            **location,
        },
        "device_id": "48241179",
    }


def parameters(**others: Any) -> dict[str, Any]:
    """What Traccar Client sends up to version 8."""
    return {
        "id": "48241178",
        "timestamp": moment(),
        "lat": 46.94809,
        "lon": 7.44744,
        "speed": 19.4384449,
        "bearing": 118.5,
        "altitude": 534.2,
        "accuracy": 5.0,
        "batt": 84.0,
        **others,
    }


def reported(ground: Ground, device: str, **query: str) -> dict[str, Any]:
    """What the device has reported last, beside its place."""
    found: dict[str, Any] = ground.get(f"/v1/devices/{device}", **query)["properties"]["reported"]
    return found


def reasons(ground: Ground) -> list[tuple[str, str | None]]:
    return [(each["reason"], each["deviceId"]) for each in ground.get("/v1/rejects")["items"]]


def test_a_location_of_owntracks_is_stored_under_user_and_device(ground: Ground) -> None:
    answer = ground.client.post("/owntracks", json=location(), headers=OKHTTP)
    assert (answer.status_code, answer.json()) == (200, [])
    found = reported(ground, "jane-panther")
    assert (found["speed"], found["altitude"], found["batteryLevel"]) == (10, 534, 62)
    assert ground.get("/v1/devices/jane-panther")["geometry"]["coordinates"] == [7.44744, 46.94809]


def test_the_url_says_who_a_telephone_is_before_its_headers_do(ground: Ground) -> None:
    for query, device in (({"u": "j", "d": "p"}, "j-p"), ({"d": "phone"}, "jane-phone")):
        answer = ground.client.post("/owntracks", params=query, json=location(), headers=OKHTTP)
        assert answer.status_code == 200
        assert reported(ground, device)


def test_what_is_no_location_is_acknowledged(ground: Ground) -> None:
    for content in (location(_type="waypoint"), {"_type": "lwt", "tst": 1}, {"_type": "status"}):
        answer = ground.client.post("/owntracks", json=content, headers=OKHTTP)
        assert (answer.status_code, answer.json()) == (200, [])
    answer = ground.client.post("/owntracks", content=b"", headers=OKHTTP)
    assert (answer.status_code, answer.json()) == (200, [])
    assert ground.get("/v1/devices")["features"] == []
    assert reasons(ground) == []


def test_a_location_that_is_refused_does_not_come_for_ever_and_is_listed(ground: Ground) -> None:
    for bad in (location(lat=91), location(_type="encrypted", data="x")):
        answer = ground.client.post("/owntracks", json=bad, headers=OKHTTP)
        assert (answer.status_code, answer.json()) == (200, [])
    assert reasons(ground) == [("bad_latitude", "jane-panther"), ("encrypted", None)]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"json": location(topic=None, tid=None)}, "bad_device_id"),
        ({"json": location(), "params": {"d": "my phone"}}, "bad_device_id"),
        ({"content": b"{"}, "bad_json"),
        ({"content": b"[]"}, "not_object"),
    ],
)
def test_what_can_be_set_right_on_the_telephone_is_an_error(
    ground: Ground, request_: dict[str, Any], reason: str
) -> None:
    problem = ground.problem(400, "POST", "/owntracks", **request_)
    assert [each["reason"] for each in problem["errors"]] == [reason]
    assert [each[0] for each in reasons(ground)] == [reason]


def test_traccar_client_is_understood_in_both_its_forms(ground: Ground) -> None:
    sent = [
        ground.client.post("/osmand", json=traccar_9(), headers=ANDROID),
        ground.client.get("/osmand", params=parameters(), headers=ANDROID),
        ground.client.post("/osmand", params=parameters(), headers=ANDROID),
        ground.client.post("/osmand", data=parameters(), headers=ANDROID),
    ]
    assert [(each.status_code, each.json()["accepted"]) for each in sent] == [(200, 1)] * 4
    for device in ("48241179", "48241178"):
        found = reported(ground, device)
        assert (found["speed"], found["heading"]) == (pytest.approx(10), 118.5)
        assert (found["altitude"], found["batteryLevel"]) == (534.2, 84)
    assert len(ground.get("/v1/devices/48241178/positions")["items"]) == 3


def test_osmand_s_speed_is_in_the_unit_that_its_address_says(ground: Ground) -> None:
    query = {**parameters(speed=10, timestamp=moment() * 1000 + 7), "speedUnit": "mps"}
    assert ground.client.get("/osmand", params=query, headers=ANDROID).status_code == 200
    assert reported(ground, "48241178")["speed"] == 10
    problem = ground.problem(400, "GET", "/osmand", params={**query, "speedUnit": "mph/h"})
    assert problem["detail"] == "speedUnit 'mph/h': expected one of kn, kmh, mph, mps"


def test_the_same_position_again_is_a_duplicate(ground: Ground) -> None:
    query = parameters()
    answers = [ground.client.get("/osmand", params=query).json() for _ in range(2)]
    assert [(each["accepted"], each["duplicates"]) for each in answers] == [(1, 0), (0, 1)]


def test_a_position_that_is_refused_is_named_and_does_not_come_for_ever(ground: Ground) -> None:
    sent = [
        ground.client.get("/osmand", params=parameters(lat=91)),
        ground.client.post("/osmand", data=parameters(speed="fast")),
        ground.client.post("/osmand", json=traccar_9(timestamp="soon")),
    ]
    assert [each.status_code for each in sent] == [200] * 3
    refusals = [each.json()["rejected"][0] for each in sent]
    assert [each["reason"] for each in refusals] == ["bad_latitude", "bad_number", "bad_timestamp"]
    assert reasons(ground) == [
        ("bad_latitude", "48241178"),
        ("bad_number", "48241178"),
        ("bad_timestamp", "48241179"),
    ]


def test_who_sends_no_id_or_another_one_twice_is_told(ground: Ground) -> None:
    problem = ground.problem(400, "GET", "/osmand", params={"lat": "1", "lon": "2", "timestamp": "1"})
    assert problem["detail"].startswith("no id: expected 1 to 100 letters")
    for name, values in (("id", ["a", "b"]), ("lat", [1, 2])):
        problem = ground.problem(400, "GET", "/osmand", params=parameters(**{name: values}))
        assert problem["detail"] == f"{name}: given more than once"
    ground.problem(400, "POST", "/osmand", content=b"\xff")
    ground.problem(400, "POST", "/osmand", content=b"&".join([b"a=1"] * 201))
    ground.problem(400, "POST", "/osmand", json={"location": {}})
    answer = ground.client.post("/osmand?id=mine", json={"location": traccar_9()["location"]})
    assert answer.json()["accepted"] == 1


def test_the_address_may_name_a_tracker_and_a_key_which_are_not_kept(ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "phones"}).raise_for_status()
    query = {**parameters(), "tracker": "phones", "key": "secret", "event": "sos"}
    assert ground.client.get("/osmand", params=query).json()["accepted"] == 1
    assert reported(ground, "48241178", tracker="phones")["event"] == "sos"
    assert not {"key", "tracker"} & reported(ground, "48241178", tracker="phones").keys()
    ground.client.post("/owntracks?tracker=phones", json=location(), headers=OKHTTP).raise_for_status()
    assert reported(ground, "jane-panther", tracker="phones")
    assert "ships" in ground.problem(404, "GET", "/osmand", params=parameters(tracker="ships"))["detail"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_stores_nothing(ground: Ground, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    ground.problem(403, "GET", "/osmand", params=parameters(), headers=headers)
    assert ground.get("/v1/devices")["features"] == []
    assert ground.client.get("/osmand", params=parameters(), headers={"Sec-Fetch-Site": "none"}).json()[
        "accepted"
    ]
