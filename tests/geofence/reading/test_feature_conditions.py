"""Conditions in GeoJSON: what is taken, how each fault is named, and that writing reads back the same."""

import json

import pytest

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.faults import GeofenceFault, InvalidGeofences
from geofence.reading.feature_conditions import CONDITIONS, NO_PROPERTIES
from geofence.reading.geojson import feature_text, read_accepted_geofence, read_geofence, read_geofences
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from ingest.decoding.asked_properties import MEMBERS

Json = dict[str, object]


def feature(properties: Json, **beside: object) -> bytes:
    geometry = {"type": "Point", "coordinates": [8.5, 47.5]}
    return json.dumps(
        {"type": "Feature", "geometry": geometry, "properties": {"radius": 500, **properties}, **beside}
    ).encode()


def conditions(properties: Json) -> Conditions:
    geofence = read_geofence(feature(properties), "a")
    again = read_geofence(feature_text(geofence).encode(), "a")
    assert again.conditions == geofence.conditions
    return geofence.conditions


def faults(document: bytes) -> tuple[GeofenceFault, ...]:
    with pytest.raises(InvalidGeofences) as caught:
        read_geofence(document, "a")
    return caught.value.faults


def test_a_geofence_without_conditions_has_none_and_null_is_as_good_as_absent() -> None:
    assert conditions({}) == UNCONDITIONAL
    nothing = dict.fromkeys(CONDITIONS)
    assert conditions(nothing) == UNCONDITIONAL


def test_conditions_are_read_from_the_properties_and_read_back_the_same() -> None:
    assert conditions(
        {"minAltitude": -10, "maxAltitude": 3000.5, "maxAccuracy": 0, "devices": ["4b*", "é?"]}
    ) == (Conditions(-10.0, 3000.5, 0.0, ("4b*", "é?")))
    assert conditions({"maxAltitude": 100}) == Conditions(max_altitude=100.0)
    assert conditions({"minAltitude": 5, "maxAltitude": 5}) == Conditions(5.0, 5.0)
    assert conditions({"devices": ["*" * 100] * 10}) == Conditions(devices=("*" * 100,) * 10)
    assert conditions(
        {"dwellSeconds": 0.5, "exitAfterSeconds": 0, "exitAfterMetres": 10_000_000}
    ) == Conditions(dwell_seconds=0.5, exit_after_seconds=0.0, exit_after_metres=1e7)
    asked = {"callsign": ["SWR*", "EDW1"], "on ground": ["false"]}
    assert conditions({"deviceProperties": asked}) == Conditions(
        device_properties=(("callsign", ("SWR*", "EDW1")), ("on ground", ("false",)))
    )
    assert conditions(
        {"schedule": {"zone": "UTC", "weekly": {"monday": [["08:00", "12:00"]]}}}
    ) == Conditions(schedule=Timetable("UTC", WeeklyHours(((0, 480, 720),))))


@pytest.mark.parametrize(
    ("properties", "reason", "said"),
    [
        ({"minAltitude": "low"}, "altitude", 'minAltitude is "low": expected metres'),
        ({"maxAltitude": True}, "altitude", "maxAltitude is true: expected metres"),
        ({"maxAltitude": [5]}, "altitude", "maxAltitude is an array: expected metres"),
        (
            {"minAltitude": 900, "maxAltitude": 300},
            "altitude",
            "minAltitude 900.0 is above maxAltitude 300.0: expected minAltitude up to maxAltitude",
        ),
        (
            {"maxAccuracy": -5},
            "accuracy",
            "maxAccuracy is -5: expected metres, a finite number of at least 0",
        ),
        ({"maxAccuracy": {"Horizontal": 5}}, "accuracy", "maxAccuracy is an object: expected metres"),
        ({"devices": "4b*"}, "devices", 'devices is "4b*": expected an array of 1 to 100 patterns'),
        ({"devices": []}, "devices", "devices holds 0 patterns: expected an array of 1 to 100 patterns"),
        ({"devices": ["a"] * 101}, "devices", "devices holds 101 patterns: expected an array of 1 to 100"),
        ({"devices": ["a", 5]}, "devices", "devices item 1 is 5: expected 1 to 100 letters"),
        ({"devices": [""]}, "devices", 'devices item 0 is "": expected 1 to 100 letters'),
        ({"devices": ["*" * 101]}, "devices", "expected 1 to 100 letters"),
        (
            {"devices": ["a*" * 50] * 10 + ["b?"]},
            "devices",
            "patterns with * or ? of 1,002 characters: expected up to 1,000 in all of them together",
        ),
        ({"dwellSeconds": 0}, "dwell", "dwellSeconds is 0: expected seconds above 0 and up to 31,622,400"),
        ({"dwellSeconds": 31_622_401}, "dwell", "dwellSeconds is 31622401: expected seconds above 0"),
        ({"dwellSeconds": "PT5M"}, "dwell", 'dwellSeconds is "PT5M": expected seconds above 0'),
        (
            {"exitAfterSeconds": -1},
            "exit_after",
            "exitAfterSeconds is -1: expected seconds from 0 to 31,622,400",
        ),
        (
            {"exitAfterSeconds": 1e9},
            "exit_after",
            "exitAfterSeconds is 1000000000.0: expected seconds from 0",
        ),
        (
            {"exitAfterMetres": -0.5},
            "exit_after",
            "exitAfterMetres is -0.5: expected metres from 0 to 10,000,000",
        ),
        ({"exitAfterMetres": True}, "exit_after", "exitAfterMetres is true: expected metres from 0"),
        (
            {"deviceProperties": ["a"]},
            "device_properties",
            "deviceProperties is an array: expected an object of",
        ),
        (
            {"deviceProperties": {}},
            "device_properties",
            "deviceProperties holds 0 properties: expected an object",
        ),
        (
            {"deviceProperties": {str(number): ["a"] for number in range(11)}},
            "device_properties",
            "deviceProperties holds 11 properties: expected an object of 1 to 10 properties",
        ),
        (
            {"deviceProperties": {"a" * 101: ["a"]}},
            "device_properties",
            "expected a name of 1 to 100 characters",
        ),
        (
            {"deviceProperties": {"a": "SWR*"}},
            "device_properties",
            'deviceProperties "a" is "SWR*": expected an array of 1 to 100 patterns of its text',
        ),
        (
            {"deviceProperties": {"a": ["SWR*", "b c"]}},
            "device_properties",
            'deviceProperties "a" item 1 is "b c": expected 1 to 100 letters',
        ),
        (
            {"deviceProperties": {"a": ["a*" * 50] * 10, "b": ["?"]}},
            "device_properties",
            "deviceProperties has patterns with * or ? of 1,001 characters: expected up to 1,000",
        ),
        ({"schedule": 5}, "schedule", "schedule is 5: expected"),
        ({"devices": ["4b[17]"]}, "devices", 'devices item 0 is "4b[17]": expected 1 to 100 letters'),
    ],
)
def test_a_fault_names_the_value_and_what_would_be_right(properties: Json, reason: str, said: str) -> None:
    (fault,) = faults(feature(properties))
    assert fault.reason == reason
    assert said in fault.detail


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (b"1" + b"0" * 400, "expected metres above mean sea level, a finite number"),
        (b"1e400", "a number that no double can hold: expected finite ones"),
    ],
)
def test_an_altitude_that_no_double_holds_is_refused(number: bytes, said: str) -> None:
    (fault,) = faults(feature({"minAltitude": 0}).replace(b'"minAltitude": 0', b'"minAltitude": ' + number))
    assert said in fault.detail


def test_ids_without_wildcards_are_not_among_the_characters_of_patterns() -> None:
    devices = ["a*" * 5] * 50 + ["c" * 100] * 50
    assert conditions({"devices": devices}).devices == tuple(devices)


def test_every_bad_pattern_and_every_other_fault_is_named_at_once() -> None:
    found = faults(feature({"devices": ["a b", "ok", "/"], "maxAccuracy": "x", "radius": 0}))
    assert [fault.reason for fault in found] == ["accuracy", "devices", "devices", "radius"]


def test_a_condition_that_came_later_than_a_stored_feature_is_a_property_of_it_alone() -> None:
    old = {"maxAltitude": 500, "minAltitude": "low", "schedule": "always", "dwellSeconds": 60, "devices": []}
    stored = read_accepted_geofence(feature(old, exitAfterSeconds="later"), "a")
    assert stored.conditions == Conditions(max_altitude=500.0, dwell_seconds=60.0)
    assert stored.properties == {"radius": 500, **old}
    upside_down = read_accepted_geofence(feature({"minAltitude": 900, "maxAltitude": 300}), "a")
    assert upside_down.conditions == UNCONDITIONAL


@pytest.mark.parametrize("name", [*CONDITIONS, "radius"])
def test_a_condition_beside_the_properties_is_refused_with_its_right_place(name: str) -> None:
    (fault,) = faults(feature({}, **{name: 5}))
    assert fault.reason == "misplaced"
    assert fault.detail == f"{name} beside the properties: expected it in them, properties.{name}"
    assert read_geofence(feature({}, **{name: None}), "a").conditions == UNCONDITIONAL


@pytest.mark.parametrize("name", [*CONDITIONS, "radius"])
def test_a_condition_in_the_geometry_or_beside_the_features_is_refused_likewise(name: str) -> None:
    point = {"type": "Point", "coordinates": [8.5, 47.5]}
    (fault,) = faults(feature({}, geometry={**point, name: 5}))
    assert fault.reason == "misplaced"
    assert fault.detail == f"{name} in the geometry: expected it beside it, properties.{name}"
    assert read_geofence(feature({}, geometry={**point, name: None}), "a").conditions == UNCONDITIONAL
    with pytest.raises(InvalidGeofences) as caught:
        read_geofences(json.dumps({"type": "FeatureCollection", "features": [], name: 5}).encode())
    (fault,) = caught.value.faults
    assert fault.detail == f"{name} beside the features: expected it in each of them, properties.{name}"


@pytest.mark.parametrize("name", ["deviceId", "accuracy", "timestamp", "latitude", "longitude"])
def test_a_member_of_positions_that_is_none_of_their_properties_is_refused(name: str) -> None:
    (fault,) = faults(feature({"deviceProperties": {name: ["a*"]}}))
    assert fault.reason == "device_properties"
    assert fault.detail.startswith(f'deviceProperties has "{name}": expected ')
    assert set(NO_PROPERTIES) == MEMBERS


def test_how_a_collection_is_crossed_is_no_property_of_a_geofence() -> None:
    (fault,) = faults(feature({"crossing": "segment"}))
    assert fault.reason == "misplaced"
    assert "expected it of the collection" in fault.detail
    assert read_accepted_geofence(feature({"crossing": "segment"}), "a").properties["crossing"] == "segment"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dwellseconds", "dwellSeconds"),
        ("dwell_seconds", "dwellSeconds"),
        ("DwellSecond", "dwellSeconds"),
        ("exitAfterMeters", "exitAfterMetres"),
        ("max-altitude", "maxAltitude"),
        ("device", "devices"),
        ("minAltitude ", "minAltitude"),
        ("min.altitude", "minAltitude"),
        ("minAltitud", "minAltitude"),
        ("maxAccurracy", "maxAccuracy"),
        ("Schedule", "schedule"),
        ("Radius", "radius"),
    ],
)
def test_a_name_that_is_nearly_a_conditions_is_refused_with_the_right_one(name: str, meant: str) -> None:
    for value in (5, ["a"], {"zone": "UTC"}):
        (fault,) = faults(feature({name: value}))
        assert fault.reason == "misspelled"
        assert fault.detail == f"properties.{name}: expected properties.{meant}, or another name"
    for own in ("my own", None):
        assert read_geofence(feature({name: own}), "a").conditions == UNCONDITIONAL
    assert read_accepted_geofence(feature({name: 5}), "a").conditions == UNCONDITIONAL


def test_other_names_are_somebodys_own() -> None:
    own = {"maxSpeed": 50, "crossing": 1, "altitude": 400, "dwell": 5, "name": "A", "": 1, "x" * 10_000: 2}
    assert read_geofence(feature(own), "a").properties == {"radius": 500, **own}
