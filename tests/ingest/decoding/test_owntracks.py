"""OwnTracks' messages: locations become positions in SI units, and nothing makes it raise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding.owntracks import RENAMED, decode_owntracks
from tests.ingest.decoding.telephones import ANY_JSON, decoded, fault, position

OF_IOS = {
    "_type": "location",
    "BSSID": "b4:5d:50:8f:27:c1",
    "SSID": "home",
    "acc": 35,
    "alt": 534,
    "batt": 84,
    "bs": 1,
    "cog": 118,
    "conn": "w",
    "created_at": 1780999990,
    "inregions": ["Home"],
    "lat": 46.94809,
    "lon": 7.44744,
    "m": 1,
    "p": 95.123,
    "t": "t",
    "tid": "JJ",
    "topic": "owntracks/jane/phone",
    "tst": 1780999987,
    "vac": 12,
    "vel": 36,
}
OF_ANDROID = {
    "_type": "location",
    "_id": "f3d1a2b0",
    "acc": 13,
    "alt": 0,
    "batt": 62,
    "bs": 2,
    "conn": "m",
    "created_at": 1780999990,
    "lat": 46.94809,
    "lon": 7.44744,
    "m": 2,
    "t": "p",
    "tid": "er",
    "tst": 1780999987,
    "vac": 3,
    "vel": 0,
    "topic": "owntracks/jane/panther",
}

named = decode_owntracks("jane", "phone")


def of(message: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({**message, **members}).encode()


def test_a_location_of_the_iphone_is_a_position_in_si_units() -> None:
    assert position(named, of(OF_IOS)) == {
        "deviceId": "jane-phone",
        "sampleTime": 1_780_999_987_000,
        "place": (7.44744, 46.94809),
        "accuracy": 35,
        "altitude": 534,
        "speed": 10,
        "heading": 118,
        "pressure": 95_123,
        "batteryLevel": 84,
        "verticalAccuracy": 12,
        "BSSID": "b4:5d:50:8f:27:c1",
        "SSID": "home",
        "bs": 1,
        "conn": "w",
        "created_at": 1780999990,
        "inregions": ["Home"],
        "m": 1,
        "t": "t",
        "tid": "JJ",
        "topic": "owntracks/jane/phone",
    }


def test_a_location_of_an_android_is_a_position() -> None:
    found = position(named, of(OF_ANDROID))
    assert (found["deviceId"], found["place"], found["accuracy"]) == ("jane-phone", (7.44744, 46.94809), 13)
    assert (found["altitude"], found["speed"], found["batteryLevel"]) == (0, 0, 62)
    assert "heading" not in found


@pytest.mark.parametrize(
    ("user", "device", "members", "device_id"),
    [
        ("jane", "phone", {}, "jane-phone"),
        (None, "phone", {}, "phone"),
        ("jane", "", {}, "jane"),
        (None, None, {}, "jane-panther"),
        (None, None, {"topic": "owntracks/http/er"}, "er"),
        (None, None, {"topic": "NOKEY"}, "er"),
        (None, None, {"topic": "owntracks/jane/phone/event"}, "jane-phone"),
        ("Zürich", "4", {}, "Zürich-4"),
    ],
)
def test_the_device_is_who_the_telephone_says_it_is(
    user: str | None, device: str | None, members: dict[str, Any], device_id: str
) -> None:
    assert position(decode_owntracks(user, device), of(OF_ANDROID, **members))["deviceId"] == device_id


@pytest.mark.parametrize(
    ("user", "device", "what"),
    [
        (None, None, "no device id: "),
        ("jane", "my phone", 'device id "jane-my phone": '),
        ("é" * 101, None, "d"),
    ],
)
def test_a_device_id_that_cannot_be_says_what_to_set(user: str | None, device: str | None, what: str) -> None:
    payload = json.dumps({"_type": "location", "tst": 1780999987, "lat": 1, "lon": 2}).encode()
    reason, detail, device_id = fault(decode_owntracks(user, device), payload)
    assert (reason, device_id) == ("bad_device_id", None)
    assert detail.startswith(what)
    assert "Device ID in the app" in detail


@pytest.mark.parametrize("kind", ["waypoint", "transition", "lwt", "card", "status", "steps", "new"])
def test_other_types_hold_no_position_and_are_no_fault(kind: str) -> None:
    found = decoded(named, of(OF_IOS, _type=kind))
    assert (len(found.batch), found.rejects) == (0, [])


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        ({"lat": 91}, "bad_latitude", "latitude 91: expected -90..90"),
        ({"lon": "7.4"}, "bad_longitude", 'longitude "7.4": expected a number -180..180'),
        ({"lat": None}, "missing", "no latitude: expected -90..90"),
        ({"tst": None}, "missing", "no timestamp: "),
        ({"tst": "soon"}, "bad_timestamp", 'timestamp "soon": '),
        ({"tst": 1781999987}, "in_future", "timestamp 1781999987: "),
        ({"acc": "good"}, "bad_accuracy", 'accuracy "good": '),
        ({"vel": "fast"}, "bad_number", 'vel "fast": expected a number in km/h'),
        ({"p": 1e307}, "bad_number", "p 1e+307: expected a number in kPa"),
        ({"vel": 10**400}, "bad_number", "vel "),
        ({"cog": [1]}, "bad_number", "cog an array: expected a number in degrees"),
        ({"_type": "encrypted", "data": "x"}, "encrypted", "an encrypted message: "),
        ({"_type": None}, "missing", "no _type: "),
        ({"_type": 7}, "missing", "_type 7: "),
        ({"x": "y" * 9000}, "too_large", "properties of "),
    ],
)
def test_each_fault_names_its_member(members: dict[str, Any], reason: str, says: str) -> None:
    found, detail, device_id = fault(named, of(OF_IOS, **members))
    assert (found, detail[: len(says)]) == (reason, says)
    assert device_id == (None if "_type" in members else "jane-phone")


@pytest.mark.parametrize("unknown", [-1, -1.0, None])
def test_speed_and_course_that_the_telephone_does_not_know_are_absent(unknown: float | None) -> None:
    found = position(named, of(OF_IOS, vel=unknown, cog=unknown))
    assert not {"speed", "heading"} & found.keys()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"{", "bad_json"),
        (b"[]", "not_object"),
        (b"\xff", "bad_encoding"),
        (b"7", "not_object"),
    ],
)
def test_what_is_no_object_is_one_reject(payload: bytes, reason: str) -> None:
    assert fault(named, payload)[0] == reason


@given(
    st.dictionaries(
        st.sampled_from(["_type", "vel", "cog", "p", "tid", "topic", "deviceId", "latitude", *RENAMED]),
        ANY_JSON,
    ),
    st.booleans(),
    st.none() | st.text(max_size=8),
)
def test_any_object_is_a_position_or_one_reject_or_neither(
    members: dict[str, Any], location: bool, device: str | None
) -> None:
    payload = json.dumps(members | ({"_type": "location"} if location else {})).encode()
    found = decoded(decode_owntracks(device, None), payload)
    assert len(found.batch) + len(found.rejects) == 1 or (not location and len(found.batch) == 0)


@given(st.binary(max_size=60))
def test_any_bytes_are_taken_without_harm(payload: bytes) -> None:
    decoded(named, payload)
