"""ForecastGeofenceEvents: what a device may enter or leave, whichever way it turns, nearest first.

Distances are those along the geodesic to the nearest point of a boundary, from inside, too: to a millimetre
and a billionth (beyond 19,500 km to a metre). A request says nothing of altitude or device, so geofences that
ask for these count as if they did not; one of whose schedule no window is open now does not count.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from geofence.forecasting.forecast import Forecast
from geofence.forecasting.surroundings import START, Place
from service.api.services import ApiServices
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.paging import paging
from service.location.places import place_fault
from service.location.shown_geofences import shown_properties
from service.location.units import DEFAULT_UNIT, METRES
from service.store.reading.collections import collection_named
from service.surroundings import CollectionSurroundings
from service.timestamps import now

SPEED_UNITS: Final = {"Kilometers": "KilometersPerHour", "Miles": "MilesPerHour"}
MOST_RESULTS: Final = 20
SECONDS_PER_HOUR: Final = 3_600.0
FARTHEST: Final = 20_003_931.458
"""Metres from pole to pole: what is said of a geofence without a boundary, such as the whole Earth."""
LAST_TIME: Final = 253_402_300_799_999
"""Milliseconds: the end of the year 9999, after which no time can be written."""


class Asked(NamedTuple):
    """Where a device is (degrees), how fast it goes (m/s), for how long (s), and in which unit it asks."""

    longitude: float
    latitude: float
    speed: float
    horizon: float
    unit: str


def forecast_geofence_events(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Without speed or horizon: which geofences the device is in, each IDLE."""
    name, asked = request["CollectionName"], _asked(request)
    digest = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]
    first = (*_numbers(START), 0)
    page = paging({"MaxResults": MOST_RESULTS, **request}, ("forecast", name, digest), first)
    distance, key, time = page.after
    time = time or now()
    with services.database.read() as connection:
        of_collection = collection_named(connection, name).key
        with services.surroundings.of(connection, of_collection) as around:
            after = Place(float(np.int64(distance).view(np.float64)), key)
            found = around.search.forecast(
                asked.longitude,
                asked.latitude,
                asked.speed,
                asked.horizon,
                page.look,
                after,
                around.closed(time),
            )
            events = list(_events(around, found, asked.unit, time))
    shown, more = page.page(
        list(zip(events, _places(found), strict=True)), lambda row: (*_numbers(row[1]), time)
    )
    return {
        "ForecastedEvents": [event for event, _ in shown],
        "DistanceUnit": asked.unit,
        "SpeedUnit": SPEED_UNITS[asked.unit],
        **more,
    }


def _asked(request: Mapping[str, Any]) -> Asked:
    """Raises ValidationException."""
    unit = request.get("DistanceUnit", DEFAULT_UNIT)
    speed_unit = request.get("SpeedUnit", SPEED_UNITS[DEFAULT_UNIT])
    state = request["DeviceState"]
    faults = []
    if SPEED_UNITS[unit] != speed_unit:
        faults.append(Field("SpeedUnit", f"{speed_unit} with {unit}: expected {SPEED_UNITS[unit]}"))
    fault = place_fault(state["Position"])
    if fault is not None:
        faults.append(Field("DeviceState.Position", fault.detail("")))
    if faults:
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, faults)
    longitude, latitude = state["Position"]
    speed = state.get("Speed", 0.0) * METRES[unit] / SECONDS_PER_HOUR
    return Asked(longitude, latitude, speed, request.get("TimeHorizonMinutes", 0.0) * 60.0, unit)


def _events(
    around: CollectionSurroundings, found: Forecast, unit: str, time: int
) -> Iterator[dict[str, Any]]:
    columns = (found.geofence, found.inside, np.minimum(found.distance, FARTHEST), found.seconds)
    rows = zip(*(column.tolist() for column in columns), found.types, strict=True)
    for key, inside, distance, seconds, event_type in rows:
        known = around.known[key]
        event = {
            "EventId": str(uuid.uuid4()),
            "GeofenceId": known.geofence_id,
            "IsDeviceInGeofence": inside,
            "NearestDistance": distance / METRES[unit],
            "EventType": event_type,
        }
        if time + seconds * 1_000 <= LAST_TIME:  # NaN is not
            event["ForecastedBreachTime"] = time + round(seconds * 1_000)
        properties = shown_properties(known.properties)
        if properties:
            event["GeofenceProperties"] = properties
        yield event


def _places(found: Forecast) -> list[Place]:
    """Of each row in the order of all."""
    distances = np.where(np.isnan(found.seconds), np.inf, found.distance)
    return [Place(*row) for row in zip(distances.tolist(), found.geofence.tolist(), strict=True)]


def _numbers(place: Place) -> tuple[int, int]:
    """A place as whole numbers: of the distance the bits."""
    return int(np.float64(place.distance).view(np.int64)), place.geofence
