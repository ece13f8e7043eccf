"""Telephones' apps say a key where they can: OwnTracks as a password, the others in the address."""

import time
from typing import Any

import pytest

from service.access.caller import Scope
from tests.service.access.guarded import Guarded

LOCATION = {"_type": "location", "lat": 46.9, "lon": 7.4, "tst": int(time.time()) - 60, "tid": "ja"}
WHO = {"X-Limit-U": "jane", "X-Limit-D": "phone"}
PARAMETERS = {"id": "jane-osmand", "lat": "46.9", "lon": "7.4", "timestamp": str(int(time.time()) - 60)}


def devices(guarded: Guarded, **query: str) -> list[str]:
    reader = guarded.keys.make(Scope.READ)
    answer = guarded.ask(reader, "GET", "/v1/devices", params=query).json()
    return [each["id"] for each in answer["features"]]


def test_owntracks_sends_its_key_as_a_password(guarded: Guarded) -> None:
    key = guarded.keys.make(Scope.WRITE)
    answer = guarded.ground.client.post("/owntracks", json=LOCATION, headers=WHO, auth=("jane", key.secret))
    assert (answer.status_code, answer.json()) == (200, [])
    assert devices(guarded) == ["jane-phone"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_knows_an_address_only_has_the_key_in_it_and_nobody_else_sees_it(
    guarded: Guarded, method: str
) -> None:
    key = guarded.keys.make(Scope.WRITE)
    sent = {**PARAMETERS, "key": key.secret, "lat": "91"}
    answer = guarded.ground.client.request(method, "/osmand", params=sent)
    assert answer.status_code == 200
    answer = guarded.ground.client.request(method, "/osmand", params={**sent, "lat": "46.9"})
    assert answer.json()["accepted"] == 1
    assert devices(guarded) == ["jane-osmand"]

    reader = guarded.keys.make(Scope.READ)
    for path in ("/v1/devices/jane-osmand", "/v1/rejects", "/v1/devices/jane-osmand/positions"):
        shown = guarded.ask(reader, "GET", path).text
        assert "jane-osmand" in shown
        assert key.secret not in shown
    assert key.secret not in str(guarded.audit())


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "url": "/owntracks", "json": LOCATION, "headers": WHO},
        {"method": "POST", "url": "/owntracks", "json": LOCATION, "headers": WHO, "auth": ("jane", "secret")},
        {"method": "GET", "url": "/osmand", "params": PARAMETERS},
        {"method": "GET", "url": "/osmand", "params": {**PARAMETERS, "key": "secret"}},
        {"method": "POST", "url": "/osmand", "data": PARAMETERS},
    ],
)
def test_who_has_no_key_stores_nothing(guarded: Guarded, request_: dict[str, Any]) -> None:
    guarded.keys.make(Scope.WRITE)
    assert guarded.ground.client.request(**request_).status_code == 401
    assert devices(guarded) == []


def test_a_key_in_an_address_opens_nothing_else(guarded: Guarded) -> None:
    key = guarded.keys.make(Scope.ADMIN)
    for path in ("/v1/devices", "/v1/positions", "/tracking/v0/trackers/default"):
        assert guarded.ground.client.get(path, params={"key": key.secret}).status_code in (401, 403)
    answer = guarded.ground.client.post("/owntracks", params={"key": key.secret}, json=LOCATION, headers=WHO)
    assert answer.status_code == 401


def test_a_telephone_s_key_may_be_of_one_tracker_alone(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    guarded.boto3(guarded.keys.make(Scope.ADMIN, kind="access")).create_tracker(
        TrackerName="phones", Tags={"use": "phones"}
    )
    key = guarded.keys.make(Scope.WRITE, tags={"use": "phones"})
    sent = {**PARAMETERS, "key": key.secret}
    assert guarded.ground.client.get("/osmand", params=sent).status_code == 403
    assert guarded.ground.client.get("/osmand", params={**sent, "tracker": "phones"}).status_code == 200
    assert devices(guarded, tracker="phones") == ["jane-osmand"]
    form = {**PARAMETERS, "tracker": "phones"}
    assert guarded.ground.client.post("/osmand", params={"key": key.secret}, data=form).status_code == 403
    fence = {
        "type": "Feature",
        "properties": {"radius": 5},
        "geometry": {"type": "Point", "coordinates": [7, 46]},
    }
    assert guarded.ask(key, "PUT", "/v1/geofences/x", json=fence).status_code == 403
    assert guarded.ask(admin, "GET", "/v1/geofences").json()["features"] == []
