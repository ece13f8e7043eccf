"""Forecasts as boto3 asks for them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from shapely.geometry import Point, Polygon

from geofence.geofence import Geofence
from tests.amazon import differs, same
from tests.geofence.forecasting.boundary import boundary, distances, refined
from tests.geofence.reference import contains
from tests.service.api.ground import Ground, feature_collection, grounded, square
from tests.service.location.clients import error_of, location_client
from tests.stores import Store


def forecast(location: Any, position: list[float], speed: float | None = None, **more: Any) -> Any:
    state = {"Position": position, **({} if speed is None else {"Speed": speed})}
    return location.forecast_geofence_events(CollectionName="default", DeviceState=state, **more)


def told(answer: Any) -> list[tuple[str, str]]:
    return [(each["GeofenceId"], each["EventType"]) for each in answer["ForecastedEvents"]]


def put(ground: Ground, *features: dict[str, Any]) -> None:
    answer = ground.client.post("/v1/geofences", json=feature_collection(*features))
    assert answer.status_code == 200, answer.text


@same("ForecastGeofenceEvents")
def test_forecasts_are_enter_exit_or_idle_with_time_and_distance(ground: Ground, location: Any) -> None:
    put(ground, square("here", 0, 0, name="Here"), square("near", 2, 0), square("far", 50, 0))
    before = datetime.now(UTC)
    answer = forecast(location, [0.5, 0.5], 120.0, TimeHorizonMinutes=120.0)
    assert (answer["DistanceUnit"], answer["SpeedUnit"]) == ("Kilometers", "KilometersPerHour")
    leaving, entering = answer["ForecastedEvents"]
    assert leaving["IsDeviceInGeofence"] and not entering["IsDeviceInGeofence"]
    assert told(answer) == [("here", "EXIT"), ("near", "ENTER")]
    assert leaving["GeofenceProperties"] == {"name": "Here"} and "GeofenceProperties" not in entering
    assert leaving["NearestDistance"] == pytest.approx(55.287, abs=0.001)
    assert entering["NearestDistance"] == pytest.approx(166.972, abs=0.001)
    for event in (leaving, entering):
        due = timedelta(hours=event["NearestDistance"] / 120)
        assert abs(event["ForecastedBreachTime"] - before - due) < timedelta(seconds=30)

    idle = forecast(location, [0.5, 0.5], 120.0, TimeHorizonMinutes=1.0)
    assert told(idle) == [("here", "IDLE")] and "ForecastedBreachTime" not in idle["ForecastedEvents"][0]
    for more in ({"TimeHorizonMinutes": 60.0}, {"speed": 120.0}, {"speed": 0.0, "TimeHorizonMinutes": 1e9}):
        assert told(forecast(location, [0.5, 0.5], **more)) == [("here", "IDLE")]
    assert told(forecast(location, [10.0, 10.0], 1.0, TimeHorizonMinutes=1.0)) == []


@same("ForecastGeofenceEvents")
def test_units_are_of_one_system(ground: Ground, location: Any) -> None:
    put(ground, square("near", 2, 0))
    miles = {"DistanceUnit": "Miles", "SpeedUnit": "MilesPerHour", "TimeHorizonMinutes": 120.0}
    kilometres = forecast(location, [0.5, 0.5], 120.0, TimeHorizonMinutes=120.0)
    answer = forecast(location, [0.5, 0.5], 120.0 / 1.609344, **miles)
    assert (answer["DistanceUnit"], answer["SpeedUnit"]) == ("Miles", "MilesPerHour")
    (one,), (other,) = kilometres["ForecastedEvents"], answer["ForecastedEvents"]
    assert other["NearestDistance"] * 1.609344 == pytest.approx(one["NearestDistance"], rel=1e-12)
    for mixed in ({"DistanceUnit": "Miles"}, {"SpeedUnit": "MilesPerHour"}):
        with pytest.raises(ClientError) as refused:
            forecast(location, [0.5, 0.5], 1.0, **mixed)
        assert error_of(refused.value) == ("ValidationException", 400)


def test_what_cannot_be_asked_is_refused(ground: Ground, location: Any) -> None:
    for position in ([180.5, 0.0], [0.0, 90.5]):
        with pytest.raises(ClientError) as refused:
            forecast(location, position)
        assert error_of(refused.value) == ("ValidationException", 400)
    with pytest.raises(ClientError) as refused:
        forecast(location, [0.0, 0.0], NextToken="x")
    assert error_of(refused.value) == ("ValidationException", 400)
    with pytest.raises(ClientError) as unknown:
        location.forecast_geofence_events(CollectionName="no", DeviceState={"Position": [0.0, 0.0]})
    assert error_of(unknown.value) == ("ResourceNotFoundException", 404)


def test_numbers_that_lead_nowhere_are_answered(ground: Ground, location: Any) -> None:
    put(ground, square("here", 0, 0), {**square("world", 0, 0), "geometry": WORLD})
    for speed, minutes in ((1e308, 1e308), (1e-300, 1e308), (1e-6, 1e15)):
        answer = forecast(location, [0.5, 0.5], speed, TimeHorizonMinutes=minutes)
        assert {each["GeofenceId"] for each in answer["ForecastedEvents"]} == {"here", "world"}
        (world,) = (each for each in answer["ForecastedEvents"] if each["GeofenceId"] == "world")
        assert (world["EventType"], world["NearestDistance"]) == ("IDLE", pytest.approx(20_003.9, abs=0.1))


WORLD = {
    "type": "Polygon",
    "coordinates": [[[-180, -90], [0, -90], [180, -90], [180, 90], [0, 90], [-180, 90], [-180, -90]]],
}


@same("ForecastGeofenceEvents")
def test_pages_are_one_forecast(ground: Ground, location: Any) -> None:
    put(ground, *(square(f"{at}", at, 0) for at in range(30)))
    whole = [("0", "EXIT"), *((f"{at}", "ENTER") for at in range(1, 30))]
    state = {"Position": [0.5, 0.5], "Speed": 1_000.0}
    pages = location.get_paginator("forecast_geofence_events").paginate(
        CollectionName="default", DeviceState=state, TimeHorizonMinutes=300.0
    )
    answers = list(pages)
    assert [len(each["ForecastedEvents"]) for each in answers] == [20, 10]
    assert [pair for each in answers for pair in told(each)] == whole
    times = [each["ForecastedBreachTime"] for answer in answers for each in answer["ForecastedEvents"]]
    assert times == sorted(times)
    first = forecast(location, [0.5, 0.5], 1_000.0, TimeHorizonMinutes=300.0, MaxResults=3)
    assert told(first) == whole[:3]
    with pytest.raises(ClientError) as refused:
        forecast(location, [0.6, 0.5], 1.0, TimeHorizonMinutes=300.0, NextToken=first["NextToken"])
    assert error_of(refused.value) == ("ValidationException", 400)


@same("ForecastGeofenceEvents")
def test_geofences_that_come_change_or_go_are_seen_at_once(ground: Ground, location: Any) -> None:
    put(ground, square("A", 0, 0))
    assert told(forecast(location, [0.5, 0.5])) == [("A", "IDLE")]
    put(ground, square("B", 0, 0), square("A", 5, 5))
    assert told(forecast(location, [0.5, 0.5])) == [("B", "IDLE")]
    location.batch_delete_geofence(CollectionName="default", GeofenceIds=["B"])
    assert told(forecast(location, [0.5, 0.5])) == []
    ground.catalog.create_collection("other")
    assert told(forecast(location, [5.5, 5.5])) == [("A", "IDLE")]


@differs(
    "A geofence of ours with a schedule counts while it is open; altitudes and devices are not asked for.",
    "ForecastGeofenceEvents",
)
def test_a_geofence_without_an_open_window_does_not_count(ground: Ground, location: Any) -> None:
    shut = {"zone": "UTC", "start": "2020-01-01T00:00", "rrule": "FREQ=DAILY;COUNT=1", "duration": "PT1H"}
    always = {"zone": "UTC", "start": "2020-01-01T00:00", "rrule": "FREQ=DAILY", "duration": "P1D"}
    put(ground, square("shut", 0, 0, schedule=shut), square("open", 0, 0, schedule=always))
    put(ground, square("high", 0, 0, minAltitude=9000), square("others", 0, 0, devices=["x"]))
    answer = forecast(location, [0.5, 0.5], 100.0, TimeHorizonMinutes=600.0)
    assert sorted(told(answer)) == [("high", "EXIT"), ("open", "EXIT"), ("others", "EXIT")]


def test_forecasts_agree_with_brute_force(sqlite_store: Store) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    geofences = [_any_geofence(chance, f"{number}") for number in range(40)]
    with grounded(sqlite_store) as ground:
        ground.catalog.put("default", geofences)
        location = location_client(str(ground.client.base_url))
        for _ in range(6):
            position = [chance.uniform(-10, 10), chance.uniform(-10, 10)]
            reach = chance.choice([30_000.0, 300_000.0, 3_000_000.0])
            found: dict[str, Any] = {}
            pages = location.get_paginator("forecast_geofence_events").paginate(
                CollectionName="default",
                DeviceState={"Position": position, "Speed": reach / 1_000},
                TimeHorizonMinutes=60.0,
            )
            for page in pages:
                found.update((each["GeofenceId"], each) for each in page["ForecastedEvents"])
            for geofence in geofences:
                _compare(geofence, position, reach, found.get(geofence.id))


def _any_geofence(chance: random.Random, geofence_id: str) -> Geofence:
    x, y, size = chance.uniform(-10, 10), chance.uniform(-10, 10), chance.uniform(0.01, 5)
    if chance.random() < 0.3:
        return Geofence(geofence_id, Point(x, y), size * 50_000, {"radius": size * 50_000})
    corners = [(x, y), (x + size, y + chance.uniform(-1, 1) * size), (x + size / 3, y + size)]
    return Geofence(geofence_id, Polygon(corners).convex_hull, None, {})  # type: ignore[arg-type]  # never flat


def _compare(geofence: Geofence, position: list[float], reach: float, event: Any) -> None:
    points = boundary(geofence)
    at = (position[0], position[1])
    nearest = float(distances(at, points).min() if geofence.radius is not None else refined(at, points))
    inside = contains(geofence, *at)
    if abs(nearest - reach) < 1:  # a metre is more than sampling may err
        return
    if not inside and nearest > reach:
        assert event is None
        return
    assert event["IsDeviceInGeofence"] == inside
    assert event["EventType"] == ("ENTER" if not inside else "EXIT" if nearest < reach else "IDLE")
    assert event["NearestDistance"] * 1_000 == pytest.approx(nearest, abs=1.0)
    assert np.isfinite(event["NearestDistance"])
