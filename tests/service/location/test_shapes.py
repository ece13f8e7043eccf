"""Requests read by the model: what is right quickly, what is wrong fault by fault."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.location.errors import ValidationException
from service.location.faults import faults, without_nulls
from service.location.limits import AMAZONS, Limits
from service.location.model import MODEL
from service.location.shapes import limited, reader, shaper
from tests.amazon import ALL, differs, same
from tests.wire.constraints import probes

UPDATE = {
    "DeviceId": "Ünï-1",
    "SampleTime": "2026-11-28T05:00:00.123456Z",
    "Position": [8.5, 47],
    "Accuracy": {"Horizontal": 5},
    "PositionProperties": {"speed": "12"},
}
update_reader = reader(limited(AMAZONS), "BatchUpdateDevicePosition")


def read(body: Any, tracker: str = "trucks") -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return update_reader.read({"TrackerName": tracker}, {}, raw)


def refused(body: Any, tracker: str = "trucks") -> ValidationException:
    with pytest.raises(ValidationException) as raised:
        read(body, tracker)
    return raised.value


def test_a_request_is_read_with_times_in_milliseconds_and_without_what_the_model_does_not_know() -> None:
    said = {"Updates": [{**UPDATE, "Battery": 1}], "TrackerName": "another", "x": None}
    time = 1795842000123
    assert read(said) == {"TrackerName": "trucks", "Updates": [{**UPDATE, "SampleTime": time}]}


@same(ALL)
def test_a_member_that_is_null_is_not_there() -> None:
    assert "Accuracy" not in read({"Updates": [{**UPDATE, "Accuracy": None}]})["Updates"][0]
    missing = refused({"Updates": [{**UPDATE, "Position": None}]})
    assert (missing.reason, [field.name for field in missing.fields]) == ("Missing", ["Updates[0].Position"])
    assert refused({"Updates": [None]}).fields[0].name == "Updates[0]"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "expected a JSON object"),
        (b"<a/>", "JSON is malformed: invalid character (byte 0)"),
        (b'{"Updates": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply to be read"),
        (b'{"Updates": [1e400]}', "Number out of range"),
        (b'{"Updates": [NaN]}', "JSON is malformed"),
        (b'{"Updates": ["\\ud800"]}', ""),
        (b'{"Updates": ["\xff"]}', ""),
        (b'{"Updates": [], "Updates": []}', "'Updates': given more than once"),
        (b'{"Updates": [{"a": {"b": 1, "b": 2}}]}', "'b': given more than once"),
        (b'{"Updates": ["\\u003a"], "Updates": []}', "'Updates': given more than once"),
        (b'{"Updates": []} 1', "JSON is malformed"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: bytes, said: str) -> None:
    error = refused(body)
    assert error.reason == "CannotParse"
    assert said in error.message


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"DeviceId": "a b"}, "DeviceId"),
        ({"DeviceId": 1}, "DeviceId"),
        ({"SampleTime": "2026-11-28T05:00:00"}, "SampleTime"),
        ({"SampleTime": 1795842000}, "SampleTime"),
        ({"Position": ["8.5", "47"]}, "Position[0]"),
        ({"Position": [True, 47]}, "Position[0]"),
        ({"Position": [8.5, 47, 400]}, "Position"),
        ({"Accuracy": {}}, "Accuracy.Horizontal"),
        ({"Accuracy": {"Horizontal": -0.1}}, "Accuracy.Horizontal"),
        ({"Accuracy": {"Horizontal": 10_000_000.1}}, "Accuracy.Horizontal"),
        ({"PositionProperties": {"a": "b", "c": "d", "e": "f", "g": "h", "i": "j"}}, "PositionProperties"),
        ({"PositionProperties": {"a": 1}}, "PositionProperties[a]"),
        ({"PositionProperties": {"a" * 21: "b"}}, f"PositionProperties[{'a' * 21}]"),
        ({"PositionProperties": {"a": "\0"}}, "PositionProperties[a]"),
    ],
)
def test_a_member_that_does_not_fit_is_named(change: dict[str, Any], name: str) -> None:
    error = refused({"Updates": [UPDATE, {**UPDATE, **change}]})
    assert f"Updates[1].{name}" in [field.name for field in error.fields]


@same(ALL)
def test_lengths_count_characters() -> None:
    assert read({"Updates": [{**UPDATE, "DeviceId": "𝒜" * 100}]})
    assert refused({"Updates": [{**UPDATE, "DeviceId": "𝒜" * 101}]}).fields[0].message == (
        "expected at most 100 characters: 101 given"
    )


@differs("OVERFLY_LOCATION_LIMITS may allow more than ten updates a call.", "BatchUpdateDevicePosition")
def test_the_updates_of_a_call_may_be_more_where_that_is_lifted() -> None:
    body = json.dumps({"Updates": [UPDATE] * 11}).encode()
    assert refused(body).fields[0].message == "expected at most 10 entries: 11 given"
    lifted = reader(limited(Limits(updates_per_batch=11)), "BatchUpdateDevicePosition")
    assert len(lifted.read({"TrackerName": "trucks"}, {}, body)["Updates"]) == 11


@same("PutGeofence", "BatchPutGeofence")
@pytest.mark.parametrize("geometry", [{}, {"Circle": {"Center": [1, 2], "Radius": 3}, "Geobuf": "aGk="}])
def test_a_geometry_is_of_exactly_one_kind(geometry: dict[str, Any]) -> None:
    put = reader(MODEL, "PutGeofence")
    path = {"CollectionName": "zones", "GeofenceId": "a"}
    assert put.read(path, {}, b'{"Geometry": {"Geobuf": "aGk="}}')["Geometry"] == {"Geobuf": b"hi"}
    with pytest.raises(ValidationException) as raised:
        put.read(path, {}, json.dumps({"Geometry": geometry}).encode())
    assert [field.name for field in raised.value.fields] == ["Geometry"]


def test_answers_have_times_as_texts() -> None:
    entries = [{"DeviceId": "a", "SampleTime": 1795842000123, "Position": [1.0, 2.0]}]
    shaped = shaper(MODEL, "ListDevicePositions")({"Entries": entries, "NextToken": "x"})
    assert shaped["Entries"][0]["SampleTime"] == "2026-11-28T05:00:00.123Z"
    assert shaper(MODEL, "DeleteTracker")({}) == {}


@pytest.mark.parametrize("operation", list(MODEL.operations))
def test_every_constraint_holds_at_its_edge_and_not_past_it(operation: str) -> None:
    members = MODEL.shapes[MODEL.operations[operation].input].members
    of_operation = reader(MODEL, operation)
    for probe in probes(operation):
        at: dict[str, dict[str, Any]] = {"uri": {}, "querystring": {}, "body": {}}
        for name, value in probe.value.items():
            at[members[name].location][members[name].wire_name] = value
        named = None
        try:
            of_operation.read(at["uri"], at["querystring"], json.dumps(at["body"]).encode())
        except ValidationException as error:
            named = [field.name for field in error.fields]
        assert named is None if probe.fits else named and probe.path in named, probe


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=6,
)
ODD_UPDATES = st.lists(
    st.fixed_dictionaries({}, optional={name: st.just(value) | JSON for name, value in UPDATE.items()}),
    max_size=2,
)


@settings(max_examples=150, deadline=None)
@given(ODD_UPDATES, st.sampled_from(["trucks", "", "é", "a" * 101]))
def test_what_is_read_has_no_fault_and_what_is_refused_has_one(updates: list[Any], tracker: str) -> None:
    said = {"TrackerName": tracker, "Updates": updates}
    found = faults(MODEL, "BatchUpdateDevicePositionRequest", without_nulls(said))
    try:
        read({"Updates": updates}, tracker)
    except ValidationException as error:
        assert [(field.name, field.message) for field in error.fields] == [each[:2] for each in found] != []
    else:
        assert found == []
