"""Geofences as boto3 puts, asks for, lists and deletes them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.location.limits import Limits
from service.moving.exporting import exported_lines
from tests.amazon import differs, same
from tests.service.api.ground import Ground, feature_collection, grounded, square
from tests.service.location.clients import error_of, location_client
from tests.service.location.geobufs import encoded_geobuf
from tests.stores import Store

RING = [[8.0, 47.0], [9.0, 47.0], [9.0, 48.0], [8.0, 48.0], [8.0, 47.0]]
HOLE = [[8.4, 47.4], [8.4, 47.6], [8.6, 47.6], [8.6, 47.4], [8.4, 47.4]]
BESIDE = [[8.5, 47.5], [10.0, 47.5], [10.0, 48.0], [8.5, 48.0], [8.5, 47.5]]
GEOMETRIES: dict[str, dict[str, Any]] = {
    "polygon": {"Polygon": [RING, HOLE]},
    "multipolygon": {"MultiPolygon": [[RING, HOLE]]},
    "overlapping": {"MultiPolygon": [[RING], [BESIDE]]},
    "circle": {"Circle": {"Center": [8.5492, 47.4647], "Radius": 5000.5}},
    "geobuf": {"Geobuf": encoded_geobuf("Polygon", [[[(80, 470), (90, 470), (90, 480), (80, 480)]]], 1)},
    "geobuf-parts": {"Geobuf": encoded_geobuf("MultiPolygon", [[[(0, 0), (2, 0), (2, 2)]]] * 2, 0)},
}
PROPERTIES = {"radius": "far", "schedule": "daily", "Größe/😀": "x" * 40}


@pytest.fixture
def fleet(ground: Ground, location: Any) -> Any:
    """The client, with a collection `fleet`."""
    ground.catalog.create_collection("fleet")
    return location


def put(location: Any, geofence_id: str, **more: Any) -> Any:
    geometry = {"Geometry": GEOMETRIES["polygon"], **more}
    return location.put_geofence(CollectionName="fleet", GeofenceId=geofence_id, **geometry)


def ids(answer: Any, member: str) -> list[str]:
    return [each["GeofenceId"] for each in answer[member]]


@same("PutGeofence", "BatchPutGeofence", "GetGeofence", "ListGeofences")
def test_each_geofence_comes_back_in_the_format_in_which_it_was_put(fleet: Any) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    for name, geometry in GEOMETRIES.items():
        answer = put(fleet, name, Geometry=geometry, GeofenceProperties=PROPERTIES)
        assert answer["GeofenceId"] == name
        got = fleet.get_geofence(CollectionName="fleet", GeofenceId=name)
        del got["ResponseMetadata"]
        assert got.pop("CreateTime") == got.pop("UpdateTime") == answer["CreateTime"] >= before
        assert answer["UpdateTime"] == answer["CreateTime"]
        assert got == {
            "GeofenceId": name,
            "Geometry": geometry,
            "Status": "ACTIVE",
            "GeofenceProperties": PROPERTIES,
        }
    entries = fleet.list_geofences(CollectionName="fleet")["Entries"]
    assert {entry["GeofenceId"]: entry["Geometry"] for entry in entries} == GEOMETRIES


@same("PutGeofence")
def test_a_geofence_put_again_keeps_its_create_time_and_nothing_else(fleet: Any) -> None:
    first = put(fleet, "A", Geometry=GEOMETRIES["geobuf"], GeofenceProperties={"a": "b"})
    second = put(fleet, "A", Geometry=GEOMETRIES["circle"])
    got = fleet.get_geofence(CollectionName="fleet", GeofenceId="A")
    assert second["CreateTime"] == got["CreateTime"] == first["CreateTime"]
    assert got["UpdateTime"] == second["UpdateTime"] >= first["UpdateTime"]
    assert got["Geometry"] == GEOMETRIES["circle"] and "GeofenceProperties" not in got

    fleet.batch_delete_geofence(CollectionName="fleet", GeofenceIds=["A"])
    assert put(fleet, "A")["CreateTime"] > first["CreateTime"]


@same("BatchPutGeofence")
def test_a_batch_puts_what_is_right_and_says_of_each_other_entry_why_not(fleet: Any) -> None:
    entries = [
        {"GeofenceId": "A", "Geometry": GEOMETRIES["polygon"], "GeofenceProperties": {"a": "1"}},
        {"GeofenceId": "B", "Geometry": {"Polygon": [RING[::-1]]}},
        {"GeofenceId": "C", "Geometry": {"Circle": {"Center": [0.0, 0.0], "Radius": 0.0}}},
        {"GeofenceId": "D", "Geometry": {"Geobuf": b"\xff"}},
        {"GeofenceId": "E", "Geometry": GEOMETRIES["geobuf"]},
        {"GeofenceId": "A", "Geometry": GEOMETRIES["circle"]},
    ]
    answer = fleet.batch_put_geofence(CollectionName="fleet", Entries=entries)
    assert ids(answer, "Successes") == ["A", "E"]
    assert [(each["GeofenceId"], each["Error"]["Code"]) for each in answer["Errors"]] == [
        ("B", "ValidationError"),
        ("C", "ValidationError"),
        ("D", "ValidationError"),
        ("A", "ConflictError"),
    ]
    assert "polygon 0 ring 0: wound clockwise" in answer["Errors"][0]["Error"]["Message"]
    assert ids(fleet.list_geofences(CollectionName="fleet"), "Entries") == ["A", "E"]
    shown = fleet.get_geofence(CollectionName="fleet", GeofenceId="A")
    assert (shown["Geometry"], shown["GeofenceProperties"]) == (GEOMETRIES["polygon"], {"a": "1"})


@differs(
    "Of several entries of a batch with one id the first is taken, the others are ConflictErrors.",
    "BatchPutGeofence",
)
def test_of_entries_with_one_id_the_first_is_put(fleet: Any) -> None:
    entries = [{"GeofenceId": "A", "Geometry": GEOMETRIES[name]} for name in ("circle", "polygon")]
    answer = fleet.batch_put_geofence(CollectionName="fleet", Entries=entries)
    assert [each["Error"]["Code"] for each in answer["Errors"]] == ["ConflictError"]
    shown = fleet.get_geofence(CollectionName="fleet", GeofenceId="A")
    assert shown["Geometry"] == GEOMETRIES["circle"]


@same("BatchDeleteGeofence")
def test_a_batch_deletes_what_is_there_and_names_what_is_not(fleet: Any) -> None:
    put(fleet, "A")
    put(fleet, "ö")
    answer = fleet.batch_delete_geofence(CollectionName="fleet", GeofenceIds=["ö", "nobody", "ö", "nobody"])
    assert [(each["GeofenceId"], each["Error"]["Code"]) for each in answer["Errors"]] == [
        ("nobody", "ResourceNotFoundError")
    ]
    assert ids(fleet.list_geofences(CollectionName="fleet"), "Entries") == ["A"]


@same("ListGeofences")
def test_a_list_comes_page_by_page_with_a_token_that_is_of_this_list_alone(
    ground: Ground, fleet: Any
) -> None:
    for number in range(5):
        put(fleet, f"{number}")
    pages = fleet.get_paginator("list_geofences").paginate(CollectionName="fleet", MaxResults=2)
    assert [ids(page, "Entries") for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
    token = fleet.list_geofences(CollectionName="fleet", MaxResults=2)["NextToken"]
    ground.catalog.create_collection("other")
    for name, given in (("other", token), ("fleet", "x")):
        with pytest.raises(ClientError) as refused:
            fleet.list_geofences(CollectionName=name, NextToken=given)
        assert error_of(refused.value) == ("ValidationException", 400)


@pytest.mark.parametrize(
    "operation, more",
    [
        ("put_geofence", {"GeofenceId": "A", "Geometry": GEOMETRIES["polygon"]}),
        ("batch_put_geofence", {"Entries": [{"GeofenceId": "A", "Geometry": GEOMETRIES["polygon"]}]}),
        ("batch_put_geofence", {"Entries": [{"GeofenceId": "A", "Geometry": {"Polygon": [RING[::-1]]}}]}),
        ("get_geofence", {"GeofenceId": "A"}),
        ("list_geofences", {}),
        ("batch_delete_geofence", {"GeofenceIds": ["A"]}),
    ],
)
def test_a_collection_that_is_not_there_is_not_found(location: Any, operation: str, more: Any) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(location, operation)(CollectionName="nowhere", **more)
    assert error_of(refused.value) == ("ResourceNotFoundException", 404)


@same("GetGeofence")
def test_a_geofence_that_is_not_there_is_not_found(fleet: Any) -> None:
    with pytest.raises(ClientError) as refused:
        fleet.get_geofence(CollectionName="fleet", GeofenceId="nobody")
    assert error_of(refused.value) == ("ResourceNotFoundException", 404)


@same("PutGeofence", "BatchPutGeofence")
@pytest.mark.parametrize(
    "geometry, member, problem",
    [
        ({"Polygon": [RING[::-1]]}, "Geometry.Polygon", "wound clockwise"),
        ({"Circle": {"Center": [0, 0], "Radius": 100_001}}, "Geometry.Circle.Radius", "up to 100000"),
        ({"Geobuf": ""}, "Geometry.Geobuf", "no geometry"),
        ({"Geobuf": "%"}, "Geometry.Geobuf", "Base64"),
        ({}, "Geometry", "expected exactly one of"),
        ({"Polygon": [RING], "Geobuf": ""}, "Geometry", "expected exactly one of"),
        ({"Polygon": [RING[:3]]}, "Geometry.Polygon[0]", "at least 4"),
        ({"Polygon": [[[8.0]] * 4]}, "Geometry.Polygon[0][0]", "at least 2"),
        ({"Polygon": [[[8.0, 47.0, 5.0]] * 4]}, "Geometry.Polygon[0][0]", "at most 2"),
        ({"Polygon": [[["8", 47]] * 4]}, "Geometry.Polygon[0][0][0]", "a number"),
    ],
)
def test_what_is_wrong_with_a_geometry_is_named(
    ground: Ground, geometry: Any, member: str, problem: str
) -> None:
    answer = ground.client.put("/geofencing/v0/collections/default/geofences/A", json={"Geometry": geometry})
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"
    fault = answer.json()["fieldList"][0]
    assert fault["name"] == member and problem in fault["message"]


@same("PutGeofence", "BatchPutGeofence")
@pytest.mark.parametrize(
    "properties",
    [
        {str(number): "x" for number in range(4)},
        {"n" * 21: "x"},
        {"n": "x" * 41},
        {"": "x"},
        {"n": ""},
    ],
)
def test_properties_are_up_to_three_short_texts(ground: Ground, fleet: Any, properties: Any) -> None:
    unchecking = location_client(str(ground.client.base_url), checking=False)
    with pytest.raises(ClientError) as refused:
        put(unchecking, "A", GeofenceProperties=properties)
    assert error_of(refused.value) == ("ValidationException", 400)


@differs(
    "A collection that is full is a ValidationException, as no other error is declared for it.",
    "PutGeofence",
    "BatchPutGeofence",
)
def test_a_collection_has_no_more_geofences_than_the_limits_say(store: Store) -> None:
    with grounded(store, limits=Limits(geofences=2)) as ground:
        location = location_client(str(ground.client.base_url))
        geometry = GEOMETRIES["circle"]
        for geofence_id in ("A", "B", "A"):
            location.put_geofence(CollectionName="default", GeofenceId=geofence_id, Geometry=geometry)
        with pytest.raises(ClientError, match="has 2 geofences already") as refused:
            location.put_geofence(CollectionName="default", GeofenceId="C", Geometry=geometry)
        assert error_of(refused.value) == ("ValidationException", 400)
        assert ids(location.list_geofences(CollectionName="default"), "Entries") == ["B", "A"]


@differs(
    "What /v1 put is shown as it would have been put here, whatever its size, without its conditions.",
    "GetGeofence",
    "ListGeofences",
)
def test_what_v1_put_is_shown_as_it_would_have_been_put_here(ground: Ground, location: Any) -> None:
    plain = square("A", 8, 47, name="Zurich", floors=3, note="n" * 41, maxAltitude=900, colour="red")
    plain["geometry"]["coordinates"][0].reverse()
    circle = square("B", 8, 47, radius=2_000_000)
    circle["geometry"] = {"type": "Point", "coordinates": [8.5, 47.25]}
    several = square("C", 8, 47, geofenceProperties={"a": "b"}, name="C")
    several["geometry"] = {"type": "MultiPolygon", "coordinates": [[RING, HOLE[::-1]]]}
    answer = ground.client.post("/v1/geofences", json=feature_collection(plain, circle, several))
    assert answer.status_code == 200, answer.text
    shown = [
        (entry["Geometry"], entry.get("GeofenceProperties"))
        for entry in location.list_geofences(CollectionName="default")["Entries"]
    ]
    assert shown == [
        (
            {"Polygon": [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]},
            {"name": "Zurich", "floors": "3", "colour": "red"},
        ),
        ({"Circle": {"Center": [8.5, 47.25], "Radius": 2_000_000}}, None),
        ({"MultiPolygon": [[RING, HOLE]]}, {"a": "b"}),
    ]


def test_v1_shows_what_was_put_here_and_takes_it_back(ground: Ground, fleet: Any) -> None:
    put(fleet, "A", Geometry=GEOMETRIES["geobuf"], GeofenceProperties=PROPERTIES)
    feature = ground.get("/v1/geofences/A", collection="fleet")
    assert feature["geometry"] == {"type": "Polygon", "coordinates": [RING]}
    assert feature["properties"] == {"geofenceProperties": PROPERTIES}  # of its own, whatever their names
    answer = ground.client.put("/v1/geofences/A", params={"collection": "fleet"}, json=feature)
    assert answer.status_code == 200
    got = fleet.get_geofence(CollectionName="fleet", GeofenceId="A")
    assert got["Geometry"] == {"Polygon": [RING]} and got["GeofenceProperties"] == PROPERTIES


def test_v1_refuses_geofence_properties_that_amazon_would(ground: Ground) -> None:
    for properties in ([], {"a": 1}, {"": "x"}, {"a": ""}, dict.fromkeys("abcd", "x"), {"n" * 21: "x"}):
        feature = square("A", 8, 47, geofenceProperties=properties)
        problem = ground.problem(400, "PUT", "/v1/geofences/A", json=feature)
        assert problem["errors"][0]["reason"] == "geofence_properties", problem


def test_a_whole_database_is_exported_with_geofences_as_they_were_given(ground: Ground, fleet: Any) -> None:
    put(fleet, "A", Geometry=GEOMETRIES["overlapping"])
    lines = [line for page in exported_lines(ground.database) for line in page]
    given = json.dumps(GEOMETRIES["overlapping"], separators=(",", ":"))
    assert any(given in map(str, json.loads(line)) for line in lines if line.startswith(b"["))
