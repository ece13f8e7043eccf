"""VerifyDevicePosition: whether a device can be where it says, as far as its tracker knows it.

Amazon infers a position from cells, access points and the address. There is no such source here: they are
checked and not used, and no proxy is ever detected. What is known is where the device was stored before and
after. Where it would have had to go faster than anything goes that crosses geofences, the nearest of these is
what is inferred, with how far it may have gone from there as accuracy.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from geofence.earth.ellipsoid import WGS84
from service.api.cursors import BEFORE_ALL
from service.api.services import ApiServices
from service.crossing_rule import DEFAULT_RULE
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.places import place_fault
from service.location.units import DEFAULT_UNIT, METRES
from service.store.reading.latest_positions import latest_positions
from service.store.reading.positions import PositionRow, stored_next_to
from service.store.reading.trackers import tracker_named
from service.timestamps import now

FARTHEST: Final = 10_000_000.0
"""Metres that an accuracy may be at most."""


class Inferred(NamedTuple):
    """Degrees; metres of accuracy (None: not known) and from where the device says that it is."""

    position: Sequence[float]
    accuracy: float | None
    deviation: float


def verify_device_position(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    state = request["DeviceState"]
    fault = place_fault(state["Position"])
    if fault is not None:
        fields = [Field("DeviceState.Position", fault.detail(""))]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields)
    with services.database.read() as connection:
        of_tracker = tracker_named(connection, request["TrackerName"]).key
        known = latest_positions(connection, of_tracker, [state["DeviceId"]], BEFORE_ALL)
        stored = [row for each in known for row in stored_next_to(connection, each.key, state["SampleTime"])]
    inferred = inferred_state(state, stored)
    unit = request.get("DistanceUnit", DEFAULT_UNIT)
    accuracy = {} if inferred.accuracy is None else {"Accuracy": {"Horizontal": inferred.accuracy}}
    return {
        "InferredState": {
            "Position": list(inferred.position),
            **accuracy,
            "DeviationDistance": inferred.deviation / METRES[unit],
            "ProxyDetected": False,
        },
        "DeviceId": state["DeviceId"],
        "SampleTime": state["SampleTime"],
        "ReceivedTime": now(),
        "DistanceUnit": unit,
    }


def inferred_state(state: Mapping[str, Any], stored: Sequence[PositionRow]) -> Inferred:
    """`stored`: what the tracker has of the device just before and after."""
    accuracy = state["Accuracy"]["Horizontal"] if "Accuracy" in state else None
    found = Inferred(state["Position"], accuracy, 0.0)
    nearest = float("inf")
    for row in stored:
        elapsed = abs(state["SampleTime"] - row.sample_time) / 1_000
        reach = elapsed * DEFAULT_RULE.max_speed + (accuracy or 0.0) + (row.accuracy or 0.0)
        moved = WGS84.inv(row.longitude, row.latitude, *state["Position"])[2]
        if moved > reach and elapsed < nearest:
            nearest = elapsed
            found = Inferred((row.longitude, row.latitude), min(reach, FARTHEST), moved)
    return found
