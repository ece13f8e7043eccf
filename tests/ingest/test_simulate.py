"""Simulated flights."""

import dataclasses
import json
import threading
import time
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from ingest.decoding.decoder import DecodeLimits, decode
from ingest.flights.airports import AIRPORTS
from ingest.flights.encoding import payloads as encoded
from ingest.flights.great_circles import GreatCircles, unit_vectors
from ingest.flights.simulated import GROUND_SECONDS, Fleet
from ingest.messages import Message
from ingest.mqtt.source import MqttSource
from ingest.simulate import simulate, simulated_flights
from ingest.topics import shard_of
from tests.brokers import Mosquitto
from tests.ingest.mqtt.traffic import TOPICS, endpoint_of, received, subscribed

START = 1_700_000_000_000
WGS84 = Geod(ellps="WGS84")


def same(one: object, other: object) -> bool:
    return all(
        np.array_equal(getattr(one, column.name), getattr(other, column.name))
        for column in dataclasses.fields(one)  # type: ignore[arg-type]  # both are PositionBatch
    )


def test_same_seed_gives_the_same_flights_and_another_seed_others() -> None:
    flights = simulated_flights(50, 20, 5000, START, seed=7)
    assert same(flights, simulated_flights(50, 20, 5000, START, seed=7))
    assert not np.array_equal(flights.longitude, simulated_flights(50, 20, 5000, START, seed=8).longitude)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_position_depends_on_device_and_time_only(data: st.DataObject) -> None:
    """However the questions are put: one by one, in any order, a day later first."""
    asked = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 90_000)), min_size=1, max_size=30))
    device = np.array([number for number, _ in asked])
    moment = START + 1000 * np.array([second for _, second in asked])
    together = Fleet(10, START, seed=3).positions(device, moment)
    fleet = Fleet(10, START, seed=3)
    for row in range(len(asked)):
        alone = fleet.positions(device[row : row + 1], moment[row : row + 1])
        assert same(alone, together.take(slice(row, row + 1)))


def test_each_step_has_one_fix_of_every_device() -> None:
    flights = simulated_flights(30, 4, 5000, START)
    assert flights.sample_time.tolist() == [START + 5000 * step for step in range(4) for _ in range(30)]
    assert len(set(flights.device_id)) == 30
    assert flights.device_id[:30].tolist() == flights.device_id[30:60].tolist()


def test_what_a_fix_says_of_speed_heading_and_climb_is_how_it_moves() -> None:
    interval = 2.0
    for number in range(12):
        fleet = Fleet(12, START, seed=5)
        moment = START + 2000 * np.arange(8000)
        track = fleet.positions(np.full(8000, number), moment)
        said = [json.loads(text) for text in track.properties]
        speed, heading, climb = (
            np.array([fix[name] for fix in said]) for name in ("speed", "heading", "verticalRate")
        )
        course, _, moved = WGS84.inv(
            track.longitude[:-1], track.latitude[:-1], track.longitude[1:], track.latitude[1:]
        )
        flying = (speed[:-1] > 0) & (speed[1:] > 0)
        between = (speed[:-1] + speed[1:]) / 2
        assert np.abs(moved / interval - between)[flying].max() < 0.01 * 250 + 1.0
        turned = np.abs((course - heading[:-1] + 180) % 360 - 180)
        assert turned[flying].max() < 0.5
        climbed = np.abs(np.diff(track.altitude) - interval * (climb[:-1] + climb[1:]) / 2)
        assert np.median(climbed[flying]) < 0.2
        assert track.altitude.max() <= 41 * 304.8
        assert track.altitude.min() >= 0


def test_aircraft_stand_at_airports() -> None:
    moment = START + 10_000 * np.arange(20_000)
    track = Fleet(1, START, seed=2).positions(np.zeros(20_000, np.int64), moment)
    standing = np.array([json.loads(text)["speed"] == 0 for text in track.properties])
    places = {
        (round(float(lon), 3), round(float(lat), 3))
        for lon, lat in zip(track.longitude[standing], track.latitude[standing], strict=True)
    }
    assert len(places) >= 2
    assert places <= {(airport.longitude, airport.latitude) for airport in AIRPORTS}
    assert standing.mean() < GROUND_SECONDS / 3600


def test_great_circle_agrees_with_the_sphere_of_pyproj() -> None:
    sphere = Geod(a=6_371_008.8, b=6_371_008.8)
    start = np.array([[8.55, 47.46], [-179.0, 10.0], [0.0, 89.0], [151.2, -33.9]])
    end = np.array([[-73.8, 40.6], [179.0, -10.0], [180.0, 80.0], [-70.8, -33.4]])
    ways = GreatCircles.between(unit_vectors(*start.T), unit_vectors(*end.T))
    course, _, length = sphere.inv(*start.T, *end.T)
    assert np.allclose(ways.length, length)
    longitude, latitude, heading = ways.at(ways.length * 0.3)
    expected_longitude, expected_latitude, back = sphere.fwd(*start.T, course, length * 0.3)
    assert np.allclose((longitude - expected_longitude + 180) % 360, 180)
    assert np.allclose(latitude, expected_latitude)
    assert np.allclose((heading - back) % 360, 180)


def test_payloads_decode_to_the_same_positions() -> None:
    flights = simulated_flights(40, 50, 60_000, START, seed=1)
    decoded = decode([Message(payload) for payload in encoded(flights)], START, DecodeLimits(None, None))
    assert not decoded.rejects
    assert same(decoded.batch, flights)


def test_payload_has_its_members_in_the_documented_order() -> None:
    (payload,) = encoded(simulated_flights(1, 1, 1000, START))
    assert list(json.loads(payload)) == [
        *("deviceId", "timestamp", "latitude", "longitude", "altitude"),
        *("speed", "heading", "verticalRate", "accuracy", "callsign"),
    ]
    assert b'"timestamp":"2023-11-14T22:13:20.000Z"' in payload


def test_simulation_publishes_at_its_rate_with_times_of_now(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto), TOPICS))
        before = time.time() * 1000
        outcome = simulate(endpoint_of(mosquitto, client_id=""), devices=20, rate=400.0, duration=0.5, seed=4)
        after = time.time() * 1000
        messages = received(source, 200)
        source.close()
    assert (outcome.published, outcome.acknowledged, outcome.fraction) == (200, 200, 1.0)
    assert outcome.seconds > 0.4
    batch = decode(messages, round(after), DecodeLimits(0, None)).batch
    assert len(batch) == 200
    assert len(set(batch.device_id)) == 20
    assert before - 1 <= batch.sample_time.min() <= batch.sample_time.max() <= after
    assert np.ptp(batch.sample_time) == 497


def test_simulation_by_shard_publishes_the_fixes_of_each_shard_in_arrays_of_its_topic(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto), TOPICS))
        outcome = simulate(
            endpoint_of(mosquitto, client_id=""), devices=20, rate=400.0, duration=0.5, seed=4, by_shard=True
        )
        messages = received(source, outcome.acknowledged)
        source.close()
    assert len(messages) < 200
    for message in messages:
        for fix in json.loads(message.payload):
            assert message.topic == f"overfly/positions/{shard_of(fix['deviceId'])}"
    batch = decode(messages, round(time.time() * 1000), DecodeLimits(0, None)).batch
    assert len(batch) == 200


def test_simulation_without_an_end_stops_when_it_is_told(tmp_path: Path) -> None:
    stop = threading.Event()
    with Mosquitto(tmp_path) as mosquitto:
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        outcome = simulate(endpoint_of(mosquitto, client_id=""), devices=3, rate=50.0, stop=stop)
        timer.join()
    assert 0 < outcome.published == outcome.acknowledged < 100
