"""The conditions that stand in the properties of a Feature, with every fault that they have."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from geofence.conditions.conditions import Conditions
from geofence.conditions.pattern_filter import has_wildcards
from geofence.earth.circle import GREATEST_RADIUS
from geofence.faults import FeatureFaults
from geofence.reading.feature_schedule import read_schedule
from geofence.reading.json_values import number_of, shown

LONGEST_STAY = 366 * 24 * 60 * 60
"""Seconds of a stay or an absence: more than a year."""


class Number(NamedTuple):
    """A condition that is a number: the reason of its faults, what is expected, whether a finite one fits."""

    reason: str
    expected: str
    fits: Callable[[float], bool]


ALTITUDE = Number("altitude", "metres above mean sea level, a finite number", lambda _: True)
ABSENCE = Number(
    "exit_after", f"seconds from 0 to {LONGEST_STAY:,} (366 days)", lambda value: 0 <= value <= LONGEST_STAY
)
NUMBERS = {
    "minAltitude": ALTITUDE,
    "maxAltitude": ALTITUDE,
    "maxAccuracy": Number("accuracy", "metres, a finite number of at least 0", lambda value: value >= 0),
    "dwellSeconds": Number(
        "dwell",
        f"seconds above 0 and up to {LONGEST_STAY:,} (366 days)",
        lambda value: 0 < value <= LONGEST_STAY,
    ),
    "exitAfterSeconds": ABSENCE,
    "exitAfterMetres": Number(
        "exit_after",
        f"metres from 0 to {GREATEST_RADIUS:,.0f}",
        lambda value: 0 <= value <= GREATEST_RADIUS,
    ),
}

CONDITIONS = (*NUMBERS, "devices", "deviceProperties", "schedule")
"""Members of the properties; null is as good as absent."""

LONGEST_PATTERN = 100
PATTERN = re.compile(rf"[-.\w*?]{{1,{LONGEST_PATTERN}}}")
EXPECTED_PATTERN = (
    f"expected 1 to {LONGEST_PATTERN} letters, digits, '-', '.', '_', '*' (any text) or '?' (one character)"
)
MOST_PATTERNS = 100
EXPECTED_PATTERNS = f'expected an array of 1 to {MOST_PATTERNS} patterns of device ids, such as ["4b1*"]'
EXPECTED_VALUES = f'expected an array of 1 to {MOST_PATTERNS} patterns of its text, such as ["SWR*"]'
MOST_WILD = 1000
"""Characters of patterns that are to be searched, for each new text and geofence, one after the other."""
EXPECTED_WILD = f"expected up to {MOST_WILD:,} in all of them together (those without * and ? do not count)"

MOST_NAMES = 10
EXPECTED_NAMES = f'expected an object of 1 to {MOST_NAMES} properties, such as {{"callsign": ["SWR*"]}}'
LONGEST_NAME = 100

_BESIDE = "expected something that a position says beside its place and time"
NO_PROPERTIES = {
    "deviceId": "expected ids in devices",
    "accuracy": "expected it in maxAccuracy",
    **dict.fromkeys(("timestamp", "latitude", "longitude"), _BESIDE),
}
"""Members of a position that are none of its properties: a geofence that asks for them would never match."""


def read_conditions(properties: dict[str, object], faults: FeatureFaults) -> Conditions:
    """The conditions of a geofence. One that has a fault is as good as absent, beside what was added."""
    low, high, accuracy, dwell, absence, distance = (
        _read_number(name, properties, faults) for name in NUMBERS
    )
    if low is not None and high is not None and low > high:
        detail = f"minAltitude {shown(low)} is above maxAltitude {shown(high)}"
        faults.add("altitude", f"{detail}: expected minAltitude up to maxAltitude")
        low = high = None
    return Conditions(
        min_altitude=low,
        max_altitude=high,
        max_accuracy=accuracy,
        devices=_read_devices(properties.get("devices"), faults),
        dwell_seconds=dwell,
        exit_after_seconds=absence,
        exit_after_metres=distance,
        device_properties=_read_device_properties(properties.get("deviceProperties"), faults),
        schedule=read_schedule(properties.get("schedule"), faults),
    )


def _read_number(name: str, properties: dict[str, object], faults: FeatureFaults) -> float | None:
    value, asked = properties.get(name), NUMBERS[name]
    number = number_of(value)
    if value is None or (number is not None and asked.fits(number)):
        return number
    faults.add(asked.reason, f"{name} is {shown(value)}: expected {asked.expected}")
    return None


def _read_devices(value: object, faults: FeatureFaults) -> tuple[str, ...] | None:
    if value is None:
        return None
    patterns = _read_patterns("devices", "devices", value, EXPECTED_PATTERNS, faults)
    return None if patterns is None or _is_wild("devices", "devices", patterns, faults) else patterns


def _read_device_properties(
    value: object, faults: FeatureFaults
) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """By the name of each property, the patterns of which one is to match."""
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.add(REASON, f"deviceProperties is {shown(value)}: {EXPECTED_NAMES}")
        return None
    if not 1 <= len(value) <= MOST_NAMES:
        faults.add(REASON, f"deviceProperties holds {len(value):,} properties: {EXPECTED_NAMES}")
        return None
    before = len(faults.found)
    asked: list[tuple[str, tuple[str, ...]]] = []
    for name, patterns in value.items():
        if name in NO_PROPERTIES:
            faults.add(REASON, f"deviceProperties has {shown(name)}: {NO_PROPERTIES[name]}")
        if not 1 <= len(name) <= LONGEST_NAME:
            expected = f"expected a name of 1 to {LONGEST_NAME} characters"
            faults.add(REASON, f"deviceProperties has a property {shown(name)}: {expected}")
        read = _read_patterns(REASON, f"deviceProperties {shown(name)}", patterns, EXPECTED_VALUES, faults)
        asked.append((name, read or ()))
    together = [pattern for _, patterns in asked for pattern in patterns]
    if len(faults.found) > before or _is_wild(REASON, "deviceProperties", together, faults):
        return None
    return tuple(asked)


REASON = "device_properties"


def _is_wild(reason: str, what: str, patterns: Sequence[str], faults: FeatureFaults) -> bool:
    """Whether these patterns are too much to be searched."""
    wild = sum(len(pattern) for pattern in patterns if has_wildcards(pattern))
    if wild > MOST_WILD:
        faults.add(reason, f"{what} has patterns with * or ? of {wild:,} characters: {EXPECTED_WILD}")
    return wild > MOST_WILD


def _read_patterns(
    reason: str, what: str, value: object, expected: str, faults: FeatureFaults
) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        faults.add(reason, f"{what} is {shown(value)}: {expected}")
        return None
    if not 1 <= len(value) <= MOST_PATTERNS:
        faults.add(reason, f"{what} holds {len(value):,} patterns: {expected}")
        return None
    wrong = [
        f"{what} item {number} is {shown(pattern)}: {EXPECTED_PATTERN}"
        for number, pattern in enumerate(value)
        if not isinstance(pattern, str) or PATTERN.fullmatch(pattern) is None
    ]
    for detail in wrong:
        faults.add(reason, detail)
    return None if wrong else tuple(map(str, value))
