"""`geofenceProperties`: texts of its owner's that a geofence has and its events tell.

A member of its own, so that no name among them can be taken for a condition or a radius. As many and as long
as Amazon Location takes them: https://docs.aws.amazon.com/location/latest/APIReference/API_PutGeofence.html
"""

from collections.abc import Mapping
from typing import Final

from geofence.faults import FeatureFaults
from geofence.reading.json_values import shown

GEOFENCE_PROPERTIES: Final = "geofenceProperties"
MOST_PAIRS: Final = 3
LONGEST_NAME: Final = 20
LONGEST_TEXT: Final = 40


def geofence_properties(properties: Mapping[str, object]) -> dict[str, str] | None:
    """Those of a geofence by its properties; None where it has none, or another thing by this name."""
    pairs = properties.get(GEOFENCE_PROPERTIES)
    return None if pairs is None or _fault(pairs) else dict(_texts(pairs))


def refuse_geofence_properties(properties: Mapping[str, object], faults: FeatureFaults) -> None:
    """Add a fault where there is another thing by this name. One of before there was this rule stays."""
    pairs = properties.get(GEOFENCE_PROPERTIES)
    fault = None if pairs is None or faults.accepted else _fault(pairs)
    if fault is not None:
        faults.add("geofence_properties", f"{GEOFENCE_PROPERTIES} {fault}: {EXPECTED}")


EXPECTED: Final = (
    f"expected an object of up to {MOST_PAIRS} texts of 1 to {LONGEST_TEXT} characters, each by a name of 1 "
    f"to {LONGEST_NAME}"
)


def _fault(pairs: object) -> str | None:
    if not isinstance(pairs, dict):
        return f"is {shown(pairs)}"
    if len(pairs) > MOST_PAIRS:
        return f"holds {len(pairs):,} pairs"
    for name, text in pairs.items():
        if not 1 <= len(name) <= LONGEST_NAME:
            return f"has a name of {len(name)} characters, {shown(name)}"
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
            return f"has {shown(text)} by the name {shown(name)}"
    return None


def _texts(pairs: object) -> Mapping[str, str]:
    assert isinstance(pairs, dict)  # noqa: S101 - narrows the type; `_fault` has looked
    return pairs
