"""Geofences over HTTP: all or nothing, with every fault named."""

import json
from typing import Any

import pytest

from service.api import geofences
from tests.service.api.ground import Ground, feature_collection, position, square

NO_COLLECTIONS = [b"", b"{", b"[]", b"\xff", b"null", b'{"type":"FeatureCollection"}', b"[" * 5000]


def ids(collection: Any) -> list[str]:
    return [feature["id"] for feature in collection["features"]]


def test_a_collection_is_put_and_comes_back(ground: Ground) -> None:
    document = feature_collection(square("alps", 10, 46, name="Alps"), square("jura", 6, 46))
    put = ground.client.post("/v1/geofences", json=document)
    assert put.status_code == 200
    assert (put.json()["created"], put.json()["updated"]) == (2, 0)
    listed = ground.get("/v1/geofences")
    assert listed["type"] == "FeatureCollection"
    assert listed["features"] == json.loads(json.dumps(document["features"]))
    again = ground.client.post("/v1/geofences", json=listed)
    assert again.json()["updated"] == 2


def test_nothing_is_stored_where_one_has_a_fault_and_every_fault_is_named(ground: Ground) -> None:
    open_ring = square("open", 10, 46)
    open_ring["geometry"]["coordinates"][0].pop()
    circle = {
        "type": "Feature",
        "id": "c",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {},
    }
    document = feature_collection(square("good", 1, 1), open_ring, circle)
    problem = ground.problem(400, "POST", "/v1/geofences", json=document)
    assert [(each["feature"], each["geofenceId"]) for each in problem["errors"]] == [(1, "open"), (2, "c")]
    assert problem["errors"][0]["ring"] is not None
    assert all(each["reason"] and each["detail"] for each in problem["errors"])
    assert ground.get("/v1/geofences")["features"] == []


def test_what_is_no_collection_is_refused(ground: Ground) -> None:
    for body in NO_COLLECTIONS:
        ground.problem(400, "POST", "/v1/geofences", content=body)
        ground.problem(400, "PUT", "/v1/geofences/x", content=body)


def test_one_geofence_is_created_replaced_read_and_deleted(ground: Ground) -> None:
    path = "/v1/geofences/alps"
    feature = square("alps", 10, 46)
    assert ground.client.put(path, json=feature).status_code == 201
    del feature["id"]
    feature["properties"] = {"name": "Alps"}
    assert ground.client.put(path, json=feature).status_code == 200
    answer = ground.client.get(path)
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["properties"] == {"name": "Alps"}
    assert answer.json()["id"] == "alps"
    assert ground.client.delete(path).status_code == 204
    ground.problem(404, "GET", path)
    ground.problem(404, "DELETE", path)


def test_a_feature_with_another_id_than_its_path_is_refused(ground: Ground) -> None:
    problem = ground.problem(400, "PUT", "/v1/geofences/alps", json=square("jura", 10, 46))
    assert "jura" in problem["errors"][0]["detail"]


def test_an_unknown_collection_is_named(ground: Ground) -> None:
    for path in ("/v1/geofences", "/v1/geofences/alps"):
        problem = ground.problem(404, "GET", path, params={"collection": "atlantis"})
        assert "atlantis" in problem["detail"]


def test_a_change_is_in_force_for_the_next_positions(ground: Ground) -> None:
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5))
    ground.client.put("/v1/geofences/alps", json=square("alps", 10, 46))
    ground.post_positions(position("x", "05:00:01", 10.5, 46.5))
    ground.client.delete("/v1/geofences/alps")
    ground.post_positions(position("x", "05:00:02", 20, 46.5))
    assert [each["eventType"] for each in ground.get("/v1/events")["items"]] == ["ENTER"]


def test_the_list_is_walked_in_pages_and_resumed_with_what_was_put_since(ground: Ground) -> None:
    squares = [square(f"g{number}", number, 1) for number in range(5)]
    ground.client.post("/v1/geofences", json=feature_collection(*squares))
    first = ground.get("/v1/geofences", limit=3)
    second = ground.get("/v1/geofences", limit=3, cursor=first["nextCursor"])
    assert (ids(first), ids(second)) == (["g0", "g1", "g2"], ["g3", "g4"])
    assert second["nextCursor"] is None
    ground.client.put("/v1/geofences/g1", json=square("g1", 50, 1))
    later = ground.get("/v1/geofences", cursor=second["resumeCursor"])
    assert ids(later) == ["g1"]


def test_a_page_of_large_geofences_ends_early(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geofences, "PAGE_CHARACTERS", 1)
    ground.client.post("/v1/geofences", json=feature_collection(square("a", 1, 1), square("b", 2, 1)))
    first = ground.get("/v1/geofences")
    assert ids(first) == ["a"]
    second = ground.get("/v1/geofences", cursor=first["nextCursor"])
    assert (ids(second), second["nextCursor"]) == (["b"], None)


def test_a_document_above_the_limit_is_refused(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geofences, "LIMIT", 1 << 20)
    ground.problem(413, "POST", "/v1/geofences", content=b" " * ((1 << 20) + 1))
