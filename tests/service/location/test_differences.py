"""Where we differ from Amazon Location on purpose."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.amazon import ALL, differs
from tests.service.api.ground import Ground, grounded
from tests.service.location.clients import error_of, location_client
from tests.stores import Store


@pytest.fixture
def ground(sqlite_store: Store) -> Iterator[Ground]:
    with grounded(sqlite_store) as made:
        yield made


@differs("The tracker `default`, and the one that OVERFLY_TRACKER names, always exist.", "DeleteTracker")
def test_the_tracker_that_always_exists_is_not_deleted(location: Any) -> None:
    with pytest.raises(location.exceptions.ValidationException) as raised:
        location.delete_tracker(TrackerName="default")
    assert "always exists" in raised.value.response["Error"]["Message"]


@differs(
    "Names with letters beyond ASCII, which /v1 allows, are listed; this API cannot name them.",
    "ListTrackers",
    "ListGeofenceCollections",
)
def test_names_beyond_ascii_are_listed_only(location: Any, ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "é"})
    assert [entry["TrackerName"] for entry in location.list_trackers()["Entries"]] == ["default", "é"]
    with pytest.raises(location.exceptions.ValidationException):
        location.describe_tracker(TrackerName="é")


@differs(
    "KmsKeyId is kept and shown; what encrypts the data is the database's own.",
    "CreateTracker",
    "CreateGeofenceCollection",
)
def test_any_key_is_kept(location: Any) -> None:
    location.create_tracker(TrackerName="trucks", KmsKeyId="of nobody")
    assert location.describe_tracker(TrackerName="trucks")["KmsKeyId"] == "of nobody"


@differs("A text with NUL is refused where the model has no pattern for it.", ALL)
def test_no_text_has_nul(location: Any) -> None:
    with pytest.raises(location.exceptions.ValidationException):
        location.create_tracker(TrackerName="trucks", Description="a\0b")


@differs("A path of no operation is a ValidationException with the reason UnknownOperation.", ALL)
def test_what_is_no_operation_is_said(ground: Ground) -> None:
    connection = http.client.HTTPConnection(ground.client.base_url.host, ground.client.base_url.port)
    connection.request("PUT", "/tracking/v0/trackers/default")
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["reason"] == "UnknownOperation"


@differs("While the database is away, InternalServerException comes with the status 503.", ALL)
def test_what_cannot_be_done_now_is_said(ground: Ground, sqlite_store: Store) -> None:
    location = location_client(str(ground.client.base_url))
    sqlite_store.take_away(ground.database)
    with pytest.raises(location.exceptions.InternalServerException) as raised:
        location.create_tracker(TrackerName="trucks")
    assert error_of(raised.value) == ("InternalServerException", 503)
    sqlite_store.give_back()
    location.create_tracker(TrackerName="trucks")
