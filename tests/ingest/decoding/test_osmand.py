"""The OsmAnd protocol: both its forms become positions in SI units, and nothing makes it raise."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding.osmand import SPEED_UNITS, decode_json, decode_parameters, payload_of
from tests.ingest.decoding.telephones import ANY_JSON, decoded, fault, position

knots = decode_parameters("kn")
of_client = decode_json(None)

TRACCAR_8 = (
    "id=48241179&timestamp=1780999987&lat=46.94809&lon=7.44744&speed=36.0&bearing=118.5&altitude=534.2"
    "&accuracy=12.0&batt=84.0&charge=true"
)
"""As Traccar Client sends up to version 8."""
OSMAND = (
    "id=jane-phone&lat=46.94809&lon=7.44744&timestamp=1780999987123&accuracy=12.5&altitude=534.2&speed=10.0"
    "&bearing=118.5&batt=84"
)
"""As OsmAnd fills our address in: its speed is in m/s, its time in milliseconds."""

TRACCAR_9: dict[str, Any] = {
    "location": {
        "timestamp": "2026-06-09T10:13:07.862Z",
        "coords": {
            "latitude": 46.94809,
            "longitude": 7.44744,
            "accuracy": 5,
            "speed": 10.25,
            "heading": 118.5,
            "altitude": 534.2,
        },
        "is_moving": True,
        "odometer": 1234.5,
        "event": "motionchange",
        "battery": {"level": 0.84, "is_charging": False},
        "activity": {"type": "in_vehicle"},
        "extras": {"heartbeat": True},
        "_": "&id=48241179&lat=46.94809&lon=7.44744&timestamp=2026-06-09T10:13:07.862Z&",
    },
    "device_id": "48241179",
}
"""As Traccar Client sends from version 9 on."""


def query(text: str) -> bytes:
    return payload_of(parse_qsl(text, keep_blank_values=True))


def location(**members: Any) -> bytes:
    """A message of Traccar Client 9 with other members of its location; those of coords in `coords`."""
    usual = TRACCAR_9["location"]
    coords = {**usual["coords"], **members.pop("coords", {})}
    return json.dumps({**TRACCAR_9, "location": {**usual, "coords": coords, **members}}).encode()


def test_parameters_of_traccar_client_are_a_position_with_speed_from_knots() -> None:
    assert position(knots, query(TRACCAR_8)) == {
        "deviceId": "48241179",
        "sampleTime": 1_780_999_987_000,
        "place": (7.44744, 46.94809),
        "accuracy": 12,
        "speed": pytest.approx(18.52),
        "heading": 118.5,
        "altitude": 534.2,
        "batteryLevel": 84,
        "charging": True,
    }


def test_parameters_of_osmand_are_a_position_with_speed_as_it_comes() -> None:
    found = position(decode_parameters("mps"), query(OSMAND))
    assert (found["deviceId"], found["sampleTime"], found["accuracy"]) == (
        "jane-phone",
        1_780_999_987_123,
        12.5,
    )
    assert found["speed"] == 10


def test_json_of_traccar_client_is_a_position() -> None:
    assert position(of_client, json.dumps(TRACCAR_9).encode()) == {
        "deviceId": "48241179",
        "sampleTime": 1_780_999_987_862,
        "place": (7.44744, 46.94809),
        "accuracy": 5,
        "speed": 10.25,
        "heading": 118.5,
        "altitude": 534.2,
        "batteryLevel": 84,
        "charging": False,
        "activity": "in_vehicle",
        "is_moving": True,
        "odometer": 1234.5,
        "event": "motionchange",
        "heartbeat": True,
    }


def test_what_a_telephone_does_not_know_is_absent() -> None:
    found = position(
        of_client,
        location(coords={"speed": -1, "heading": -1, "floor": None}, battery={"level": -1}, activity={}),
    )
    assert not {"speed", "heading", "floor", "batteryLevel", "charging", "activity"} & found.keys()
    found = position(knots, query("id=a&timestamp=1780999987&lat=1&lon=2&altitude=NaN&speed=&bearing=-1"))
    assert found.keys() == {"deviceId", "sampleTime", "place", "accuracy"}


def test_several_locations_in_one_message_are_taken_one_by_one() -> None:
    good = TRACCAR_9["location"]
    bad = {**good, "coords": {"latitude": 91, "longitude": 1}}
    later = {**good, "timestamp": "2026-06-09T10:13:08Z"}
    found = decoded(of_client, json.dumps({**TRACCAR_9, "location": [good, bad, 7, later]}).encode())
    assert found.batch.sample_time.tolist() == [1_780_999_987_862, 1_780_999_988_000]
    assert [each.reason for each in found.rejects] == ["bad_latitude", "missing"]
    assert [each.device_id for each in found.rejects] == ["48241179", "48241179"]


@pytest.mark.parametrize("unit", SPEED_UNITS)
def test_speed_comes_in_the_unit_that_is_said(unit: str) -> None:
    ten = {"kn": 19.4384449, "kmh": 36, "mph": 22.3693629, "mps": 10}[unit]
    found = position(decode_parameters(unit), query(f"id=a&timestamp=1780999987&lat=1&lon=2&speed={ten}"))
    assert found["speed"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [
        ("1780999987", 1_780_999_987_000),
        ("1780999987.5", 1_780_999_987_500),
        ("1780999987123", 1_780_999_987_123),
        ("2026-06-09T10:13:07Z", 1_780_999_987_000),
        ("2026-06-09T12:13:07%2B02:00", 1_780_999_987_000),
        ("2026-06-09+10:13:07", 1_780_999_987_000),
        ("2026-06-09T10:13:07.250", 1_780_999_987_250),
    ],
)
def test_times_are_taken_in_each_form_that_the_protocol_has(timestamp: str, milliseconds: int) -> None:
    assert position(knots, query(f"id=a&lat=1&lon=2&timestamp={timestamp}"))["sampleTime"] == milliseconds


def test_a_place_may_be_one_parameter_and_the_id_have_its_other_name() -> None:
    found = position(knots, query("deviceid=a&timestamp=1780999987&location=60.0,30.5"))
    assert (found["deviceId"], found["place"]) == ("a", (30.5, 60))


def test_other_parameters_are_kept_as_what_they_say() -> None:
    found = position(
        knots,
        query(
            "id=a&timestamp=1780999987&lat=1&lon=2&hdop=0.8&ignition=true&rpm=933&alarm=sos&valid=0"
            "&cell=257,02,16,2224&cell=257,02,16,2223&driverUniqueId=00123&card=12345678901234567890&big=1e999"
        ),
    )
    assert {name: found[name] for name in ("hdop", "ignition", "rpm", "alarm", "valid")} == {
        "hdop": 0.8,
        "ignition": True,
        "rpm": 933,
        "alarm": "sos",
        "valid": 0,
    }
    assert found["cell"] == ["257,02,16,2224", "257,02,16,2223"]
    assert (found["driverUniqueId"], found["card"], found["big"]) == (
        "00123",
        "12345678901234567890",
        "1e999",
    )


GOOD = "id=a&timestamp=1780999987&lat=1&lon=2"


@pytest.mark.parametrize(
    ("sent", "reason", "says"),
    [
        (GOOD.replace("id=a&", ""), "bad_device_id", "no id: "),
        (GOOD.replace("id=a", "id="), "bad_device_id", "no id: "),
        (GOOD.replace("id=a", "id=my+phone"), "bad_device_id", 'id "my phone": '),
        (f"{GOOD}&id=b", "bad_device_id", "id an array: "),
        (GOOD.replace("lat=1", "lat=91"), "bad_latitude", "latitude 91: expected -90..90"),
        (GOOD.replace("lat=1", "lat=north"), "bad_latitude", 'latitude "north": '),
        (GOOD.replace("lat=1", "lat=1e999"), "bad_latitude", 'latitude "1e999": '),
        (GOOD.replace("&lat=1", ""), "missing", "no latitude: "),
        (f"{GOOD}&lat=3", "bad_latitude", "latitude an array: "),
        (f"{GOOD}&location=1,2,3", "bad_latitude", 'location "1,2,3": expected latitude,longitude'),
        (GOOD.replace("&timestamp=1780999987", ""), "missing", "no timestamp: "),
        (GOOD.replace("1780999987", "2026-06-09"), "bad_timestamp", 'timestamp "2026-06-09": '),
        (f"{GOOD}&speed=fast", "bad_number", 'speed "fast": expected a number in the unit of speedUnit'),
        (f"{GOOD}&altitude=high", "bad_number", 'altitude "high": expected a number in metres'),
        (f"{GOOD}&accuracy=-1", "bad_accuracy", "accuracy -1: "),
        (f"{GOOD}&x=%00", "bad_text", "a text with NUL"),
    ],
)
def test_each_fault_of_parameters_names_its_parameter(sent: str, reason: str, says: str) -> None:
    found, detail, _ = fault(knots, query(sent))
    assert (found, detail[: len(says)]) == (reason, says)


@pytest.mark.parametrize(
    ("payload", "reason", "says"),
    [
        (location(coords={"latitude": None}), "missing", "no latitude: "),
        (location(coords={"speed": "10"}), "bad_number", 'speed "10": expected a number in m/s'),
        (location(timestamp="soon"), "bad_timestamp", 'timestamp "soon": '),
        (location(coords={"accuracy": -1}), "bad_accuracy", "accuracy -1: "),
        (b'{"device_id": "a"}', "missing", "no location: "),
        (b'{"location": {}}', "bad_device_id", "no device_id: "),
        (b"{", "bad_json", "JSON broken"),
        (b"[]", "not_object", "an array"),
        (b"", "empty", "a payload without bytes"),
    ],
)
def test_each_fault_of_json_names_its_member(payload: bytes, reason: str, says: str) -> None:
    found, detail, _ = fault(of_client, payload)
    assert (found, detail[: len(says)]) == (reason, says)


TEXT = st.characters(exclude_categories=["Cs"])
NAMES = ["id", "deviceid", "timestamp", "lat", "lon", "location", "speed", "bearing", "altitude", "batt"]
VALUES = ["1", "-1", "46.9", "1e5", "1e999", "1780999987", "true", "NaN", "", "1,2"]
PARAMETERS = st.tuples(
    st.sampled_from(NAMES) | st.text(TEXT, max_size=3), st.sampled_from(VALUES) | st.text(TEXT, max_size=6)
)


@given(st.lists(PARAMETERS, max_size=12))
def test_any_parameters_are_a_position_or_one_reject(parameters: list[tuple[str, str]]) -> None:
    found = decoded(knots, payload_of(parameters))
    assert len(found.batch) + len(found.rejects) == 1


@given(
    st.dictionaries(st.sampled_from(["timestamp", "coords", "battery", "activity", "extras", "_"]), ANY_JSON),
    st.dictionaries(st.sampled_from(["latitude", "longitude", "speed", "heading", "accuracy"]), ANY_JSON),
    st.booleans(),
)
def test_any_json_is_positions_or_rejects(
    members: dict[str, Any], coords: dict[str, Any], whole: bool
) -> None:
    location = {**members, **({"coords": coords} if whole else {})}
    found = decoded(of_client, json.dumps({"device_id": "a", "location": location}).encode())
    assert len(found.batch) + len(found.rejects) == 1


@given(ANY_JSON)
def test_any_document_is_taken_without_harm(document: Any) -> None:
    decoded(of_client, json.dumps(document).encode())
    decoded(knots, json.dumps(document).encode())
