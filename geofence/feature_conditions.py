"""The conditions that stand in the properties of a Feature, with every fault that they have."""

import re

from geofence.conditions import Conditions, has_wildcards
from geofence.faults import FeatureFaults
from geofence.json_values import number_of, shown

CONDITIONS = ("minAltitude", "maxAltitude", "maxAccuracy", "devices")
"""Members of the properties; null is as good as absent."""

PATTERN = re.compile(r"[-.\w*?]{1,100}")
EXPECTED_PATTERN = "expected 1 to 100 letters, digits, '-', '.', '_', '*' (any text) or '?' (one character)"
MOST_PATTERNS = 100
EXPECTED_PATTERNS = f'expected an array of 1 to {MOST_PATTERNS} patterns of device ids, such as ["4b1*"]'
MOST_WILD = 1000
"""Characters of patterns that are to be searched, for each new device and geofence, one after the other."""
EXPECTED_WILD = f"expected up to {MOST_WILD:,} in all of them together (ids without * and ? do not count)"


def read_conditions(properties: dict[str, object], faults: FeatureFaults) -> Conditions:
    """The conditions of a geofence; of no use where faults were added."""
    low = _read_altitude("minAltitude", properties, faults)
    high = _read_altitude("maxAltitude", properties, faults)
    if low is not None and high is not None and low > high:
        detail = f"minAltitude {shown(low)} is above maxAltitude {shown(high)}"
        faults.add("altitude", f"{detail}: expected minAltitude up to maxAltitude")
    accuracy = _read_accuracy(properties.get("maxAccuracy"), faults)
    return Conditions(low, high, accuracy, _read_devices(properties.get("devices"), faults))


def _read_altitude(name: str, properties: dict[str, object], faults: FeatureFaults) -> float | None:
    value = properties.get(name)
    altitude = number_of(value)
    if value is not None and altitude is None:
        faults.add(
            "altitude", f"{name} is {shown(value)}: expected metres above mean sea level, a finite number"
        )
    return altitude


def _read_accuracy(value: object, faults: FeatureFaults) -> float | None:
    accuracy = number_of(value)
    if value is not None and (accuracy is None or accuracy < 0):
        faults.add(
            "accuracy", f"maxAccuracy is {shown(value)}: expected metres, a finite number of at least 0"
        )
    return accuracy


def _read_devices(value: object, faults: FeatureFaults) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        faults.add("devices", f"devices is {shown(value)}: {EXPECTED_PATTERNS}")
        return None
    if not 1 <= len(value) <= MOST_PATTERNS:
        faults.add("devices", f"devices holds {len(value):,} patterns: {EXPECTED_PATTERNS}")
        return None
    wild = sum(len(pattern) for pattern in value if isinstance(pattern, str) and has_wildcards(pattern))
    if wild > MOST_WILD:
        faults.add("devices", f"devices has patterns with * or ? of {wild:,} characters: {EXPECTED_WILD}")
        return None
    for number, pattern in enumerate(value):
        if not isinstance(pattern, str) or PATTERN.fullmatch(pattern) is None:
            faults.add("devices", f"devices item {number} is {shown(pattern)}: {EXPECTED_PATTERN}")
    return tuple(map(str, value))
