"""POST /v1/positions: the payloads that devices publish, over HTTP."""

import json

import pytest

from tests.service.api.ground import Ground, position

FIX = position("4ca7b3", "05:00:00", 10.2, 46.68, altitude=11582.4, callsign="TOM2XE")
NOTHING = {"accepted": 0, "duplicates": 0, "late": 0, "conflicts": 0, "filtered": 0, "rejected": []}


def test_a_position_is_stored_with_its_properties(ground: Ground) -> None:
    answer = ground.client.post("/v1/positions", json=FIX)
    assert answer.status_code == 202
    assert answer.json() == {**NOTHING, "accepted": 1}
    device = ground.get("/v1/devices/4ca7b3")
    assert device["properties"]["reported"] == {"altitude": 11582.4, "callsign": "TOM2XE"}


def test_the_same_position_again_is_a_duplicate_and_another_one_a_conflict(ground: Ground) -> None:
    ground.post_positions(FIX)
    answer = ground.post_positions(FIX, {**FIX, "latitude": 47})
    assert (answer["accepted"], answer["duplicates"], answer["conflicts"]) == (0, 1, 1)
    (refusal,) = answer["rejected"]
    assert (refusal["item"], refusal["reason"], refusal["deviceId"]) == (1, "conflict", "4ca7b3")


def test_good_items_are_taken_beside_bad_ones(ground: Ground) -> None:
    answer = ground.post_positions(FIX, {**FIX, "latitude": 91}, {**FIX, "timestamp": "yesterday"})
    assert answer["accepted"] == 1
    assert [(each["item"], each["reason"]) for each in answer["rejected"]] == [
        (1, "bad_latitude"),
        (2, "bad_timestamp"),
    ]
    listed = ground.get("/v1/rejects", device="4ca7b3")["items"]
    assert [each["reason"] for each in listed] == ["bad_latitude", "bad_timestamp"]


def test_items_that_are_all_bad_are_still_answered_one_by_one(ground: Ground) -> None:
    answer = ground.client.post("/v1/positions", json={**FIX, "latitude": 91})
    assert answer.status_code == 202
    assert [each["reason"] for each in answer.json()["rejected"]] == ["bad_latitude"]


def test_lines_are_taken_one_by_one(ground: Ground) -> None:
    lines = "\n".join([json.dumps(FIX), "", "{broken", json.dumps({**FIX, "deviceId": "other"})])
    answer = ground.client.post("/v1/positions", content=lines)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [(each["item"], each["reason"]) for each in answer.json()["rejected"]] == [(2, "bad_json")]


def test_nothing_in_a_payload_is_no_error(ground: Ground) -> None:
    assert ground.post_positions() == NOTHING


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"{broken", "bad_json"),
        (b"\xff\xfe", "bad_encoding"),
        (b'{"deviceId": "\\ud800"', "bad_json"),
    ],
)
def test_a_payload_that_cannot_be_taken_apart_is_refused(ground: Ground, payload: bytes, reason: str) -> None:
    problem = ground.problem(400, "POST", "/v1/positions", content=payload)
    assert [each["reason"] for each in problem["errors"]] == [reason]
    assert [each["reason"] for each in ground.get("/v1/rejects")["items"]] == [reason]


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00\\ud800"])
def test_text_that_no_store_can_keep_is_refused_and_listed(ground: Ground, text: str) -> None:
    payload = json.dumps({**FIX, "note": "@"}).replace("@", text)
    answer = ground.client.post("/v1/positions", content=payload)
    assert [each["reason"] for each in answer.json()["rejected"]] == ["bad_text"]
    assert text in ground.get("/v1/rejects", reason="bad_text")["items"][0]["payload"]


def test_a_body_above_one_mebibyte_is_refused(ground: Ground) -> None:
    ground.problem(413, "POST", "/v1/positions", content=b" " * ((1 << 20) + 1))
    whole = json.dumps(FIX).encode().ljust(1 << 20)
    assert ground.client.post("/v1/positions", content=whole).status_code == 202


def test_a_body_of_unknown_length_is_read_no_further_than_its_limit(ground: Ground) -> None:
    sent = []

    def endless() -> object:
        while len(sent) < 64:
            sent.append(1)
            yield b" " * (1 << 16)

    ground.problem(413, "POST", "/v1/positions", content=endless())


def test_a_compressed_body_is_refused(ground: Ground) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert "gzip" in ground.problem(400, "POST", "/v1/positions", content=b"x", headers=headers)["detail"]


def test_an_unknown_tracker_is_named(ground: Ground) -> None:
    problem = ground.problem(404, "POST", "/v1/positions", params={"tracker": "trucks"}, json=FIX)
    assert "trucks" in problem["detail"]


def test_positions_of_another_tracker_are_apart(ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "trucks"})
    ground.post_positions(FIX, tracker="trucks")
    assert ground.get("/v1/devices")["features"] == []
    assert len(ground.get("/v1/devices", tracker="trucks")["features"]) == 1
