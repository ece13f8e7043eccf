"""Tags: a key with tags may touch only what has each of them, over both faces."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.access.caller import Scope
from service.access.key_making import MadeKey
from tests.amazon import ALL, differs
from tests.gates import ACCOUNT
from tests.service.access.guarded import Guarded
from tests.service.api.ground import square

PREFIX = f"arn:aws:geo:us-east-1:{ACCOUNT}"
TAGGED: tuple[tuple[str, dict[str, str]], ...] = (
    ("north", {"fleet": "north", "more": "x"}),
    ("south", {"fleet": "south"}),
    ("bare", {}),
)


@pytest.fixture
def key(guarded: Guarded) -> MadeKey:
    """Of the fleet north; there is what it may touch, and what it may not."""
    admin = guarded.boto3(guarded.keys.make(Scope.ADMIN, kind="access"))
    for name, tags in TAGGED:
        admin.create_tracker(TrackerName=name, Tags=tags)
        admin.create_geofence_collection(CollectionName=name, Tags=tags)
        arn = f"{PREFIX}:geofence-collection/{name}"
        admin.associate_tracker_consumer(TrackerName="north", ConsumerArn=arn)
    return guarded.keys.make(Scope.ADMIN, kind="access", tags={"fleet": "north"})


@pytest.fixture
def api_key(guarded: Guarded, key: MadeKey) -> MadeKey:
    assert key
    return guarded.keys.make(Scope.ADMIN, tags={"fleet": "north"})


def denied(client: Any, operation: str, **request: Any) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(client, operation)(**request)
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"


@differs("Access by tags: a key's tags must equal the resource's; there are no policies.", ALL)
def test_amazons_face_shows_and_lets_change_only_what_has_the_tags(guarded: Guarded, key: MadeKey) -> None:
    client = guarded.boto3(key)
    client.update_tracker(TrackerName="north", Description="ours")
    assert [each["TrackerName"] for each in client.list_trackers()["Entries"]] == ["north"]
    listed = client.list_geofence_collections(MaxResults=1)
    assert [each["CollectionName"] for each in listed["Entries"]] == ["north"]
    assert "NextToken" not in listed
    consumers = client.list_tracker_consumers(TrackerName="north")["ConsumerArns"]
    assert consumers == [f"{PREFIX}:geofence-collection/north"]
    for name in ("south", "bare", "default", "not-there"):
        tracker, collection = f"{PREFIX}:tracker/{name}", f"{PREFIX}:geofence-collection/{name}"
        denied(client, "describe_tracker", TrackerName=name)
        denied(client, "delete_tracker", TrackerName=name)
        denied(client, "describe_geofence_collection", CollectionName=name)
        denied(client, "tag_resource", ResourceArn=tracker, Tags={"fleet": "north"})
        denied(client, "untag_resource", ResourceArn=collection, TagKeys=["fleet"])
        denied(client, "list_tags_for_resource", ResourceArn=tracker)
        denied(client, "associate_tracker_consumer", TrackerName=name, ConsumerArn=consumers[0])
        denied(client, "associate_tracker_consumer", TrackerName="north", ConsumerArn=collection)
        denied(client, "disassociate_tracker_consumer", TrackerName="north", ConsumerArn=collection)


def test_who_has_tags_makes_only_what_has_them(guarded: Guarded, key: MadeKey, api_key: MadeKey) -> None:
    client = guarded.boto3(key)
    client.create_tracker(TrackerName="new", Tags={"fleet": "north"})
    others: tuple[dict[str, str], ...] = ({}, {"fleet": "south"}, {"Fleet": "north"})
    for tags in others:
        denied(client, "create_tracker", TrackerName="newer", Tags=tags)
        denied(client, "create_geofence_collection", CollectionName="newer", Tags=tags)
    guarded.refusal(403, api_key, "POST", "/v1/trackers", json={"trackerName": "newer"})


FORBIDDEN = (
    ("GET", "/v1/devices"),
    ("GET", "/v1/devices?tracker=south"),
    ("GET", "/v1/devices?tracker=north&tracker=south"),
    ("GET", "/v1/devices?tracker="),
    ("GET", "/v1/devices/x?tracker=%73outh"),
    ("GET", "/v1/events?tracker=bare"),
    ("GET", "/v1/positions?tracker=not-there"),
    ("POST", "/v1/positions?tracker=south"),
    ("POST", "/v1/positions"),
    ("GET", "/osmand?id=x&lat=1&lon=1&tracker=south"),
    ("PUT", "/v1/geofences/x?collection=south"),
    ("DELETE", "/v1/geofences/x"),
    ("GET", "/v1/trackers/south"),
    ("GET", "/v1/trackers/%73outh"),
    ("DELETE", "/v1/collections/south"),
    ("PUT", "/v1/trackers/north/collections/south"),
    ("PUT", "/v1/collections/north/trackers/south"),
    ("GET", "/v1/collections/south/trackers"),
    ("GET", "/v1/revisions"),
    ("GET", "/metrics"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("GET", "/v1/audit"),
)


def test_our_face_shows_and_lets_change_only_what_has_the_tags(guarded: Guarded, api_key: MadeKey) -> None:
    def names(path: str, name: str, **query: int) -> list[str]:
        return [each[name] for each in guarded.ask(api_key, "GET", path, params=query).json()["items"]]

    assert names("/v1/trackers", "trackerName") == ["north"]
    assert names("/v1/collections", "collectionName", limit=1) == ["north"]
    assert names("/v1/trackers/north/collections", "collectionName") == ["north"]
    assert names("/v1/collections/north/trackers", "trackerName") == ["north"]
    put = {"json": square("x", 7, 46)}
    fix = {"deviceId": "x", "timestamp": "2018-08-01T05:00:00Z", "latitude": 46, "longitude": 7}
    assert guarded.ask(api_key, "PUT", "/v1/geofences/x?collection=north", **put).status_code == 201
    assert guarded.ask(api_key, "POST", "/v1/positions?tracker=north", json=fix).status_code == 202
    assert guarded.ask(api_key, "GET", "/v1/events?tracker=north").status_code == 200
    for method, path in FORBIDDEN:
        assert "only" in guarded.refusal(403, api_key, method, path)


def test_a_key_must_have_all_its_tags_met(guarded: Guarded, key: MadeKey) -> None:
    assert key
    both = guarded.keys.make(Scope.READ, tags={"fleet": "north", "more": "x"})
    other = guarded.keys.make(Scope.READ, tags={"fleet": "north", "more": "y"})
    assert guarded.ask(both, "GET", "/v1/trackers/north").status_code == 200
    guarded.refusal(403, other, "GET", "/v1/trackers/north")


def test_what_is_published_needs_the_tags_of_the_tracker_that_is_fed(guarded: Guarded, key: MadeKey) -> None:
    payload = b'{"timestamp":"2018-08-01T05:00:00Z","latitude":46,"longitude":7}'
    publish = {"topic": "aircraft/x/position", "payload": payload}
    denied(guarded.boto3(key, "iot-data"), "publish", **publish)
    admin = guarded.boto3(guarded.keys.make(Scope.ADMIN, kind="access"))
    admin.tag_resource(ResourceArn=f"{PREFIX}:tracker/default", Tags={"fleet": "north"})
    guarded.boto3(key, "iot-data").publish(**publish)
