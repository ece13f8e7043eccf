"""The flights are exactly those that the expected events belong to."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from sample_data import flights as builder
from sample_data.conversion import position_lines
from sample_data.flights import POSITIONS_SHA256, FlightFiles, FlightsUnavailable, build

ROW = {"timestamp": 1533101250000, "icao24": "3003ae", "latitude": 45.8189849854, "longitude": 9.2295455933}


def test_built_positions_have_the_known_hash(flights: FlightFiles) -> None:
    lines = gzip.decompress(flights.positions.read_bytes())
    assert hashlib.sha256(lines).hexdigest() == POSITIONS_SHA256
    assert lines.count(b"\n") == 139_098


def test_built_geofences_are_the_airports_and_then_the_flight_regions(flights: FlightFiles) -> None:
    features = json.loads(flights.geofences.read_bytes())["features"]
    airports = json.loads(builder.AIRPORTS.read_bytes())["features"]
    assert features[:92] == airports
    regions = ["LIMM", "LFMM", "LFEE", "LSAS", "EDGG", "EDMM", "LOVV"]
    assert [feature["id"] for feature in features[92:]] == [f"FIR-{ident}-1" for ident in regions]


def test_built_geofences_are_those_that_the_expected_events_were_found_with(flights: FlightFiles) -> None:
    text = flights.geofences.read_bytes()
    assert (
        hashlib.sha256(text).hexdigest() == "3b5cf963fbbc68b0f31dc414349b3aa55efe37457e32a1083aaa6a463931dfdf"
    )


def test_every_expected_event_belongs_to_a_fix_and_a_geofence(flights: FlightFiles) -> None:
    events = [json.loads(line) for line in gzip.decompress(flights.expected_events.read_bytes()).splitlines()]
    fixes = [json.loads(line) for line in gzip.decompress(flights.positions.read_bytes()).splitlines()]
    ids = {feature["id"] for feature in json.loads(flights.geofences.read_bytes())["features"]}
    assert len(events) == 22_496
    assert {(event["deviceId"], event["sampleTime"]) for event in events} <= {
        (fix["deviceId"], fix["timestamp"]) for fix in fixes
    }
    assert {event["geofenceId"] for event in events} <= ids
    assert all(event.keys() == {"eventType", "deviceId", "geofenceId", "sampleTime"} for event in events)


def test_a_second_build_takes_what_is_there(flights: FlightFiles) -> None:
    said: list[str] = []
    assert build(flights.positions.parent, said.append) == flights
    assert said == []


def test_rows_become_messages_in_si_units_with_unknown_values_left_out() -> None:
    row = ROW | {"altitude": 34975.0, "groundspeed": 443.4869334744, "track": None, "callsign": "DLH8JW"}
    assert position_lines([row]) == (
        b'{"deviceId":"3003ae","timestamp":"2018-08-01T05:27:30.000Z","latitude":45.818985,"longitude":9.229546,'
        b'"altitude":10660.4,"speed":228.1,"callsign":"DLH8JW"}\n'
    )


def test_rows_are_sorted_by_time_then_aircraft_and_the_first_of_equals_is_kept() -> None:
    rows = [
        ROW | {"icao24": "b"},
        ROW | {"icao24": "a"},
        ROW | {"icao24": "b", "latitude": 1.0},
        ROW | {"latitude": None},
    ]
    lines = [json.loads(line) for line in position_lines(rows).splitlines()]
    assert [(line["deviceId"], line["latitude"]) for line in lines] == [("a", 45.818985), ("b", 45.818985)]


def test_a_wheel_of_another_hash_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    other = tmp_path / "requirements.txt"
    other.write_text(f"traffic==2.13 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(FlightsUnavailable, match="whose hash is in"):
        build(tmp_path / "flights", lambda text: None, other)
    assert list((tmp_path / "flights").iterdir()) == []


def test_no_package_index_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(FlightsUnavailable, match="a package index must be reachable"):
        build(tmp_path / "flights", lambda text: None)


def test_a_file_that_is_no_wheel_is_said_to_be_none(tmp_path: Path) -> None:
    wheel = tmp_path / "traffic-2.13-py3-none-any.whl"
    wheel.write_bytes(b"not a wheel")
    with pytest.raises(FlightsUnavailable, match="does not hold the recordings"):
        builder._convert(wheel)
