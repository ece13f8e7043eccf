"""What would be overlooked: conditions in a wrong place or by a name that is nearly theirs.

A geofence without its condition is too wide. What was accepted once stays as it is.
"""

from collections.abc import Mapping
from difflib import get_close_matches

import msgspec

from geofence.faults import FeatureFaults
from geofence.reading.feature_conditions import CONDITIONS
from geofence.reading.geofence_properties import GEOFENCE_PROPERTIES
from geofence.reading.json_values import ABSENT

ASKED = (*CONDITIONS, GEOFENCE_PROPERTIES, "radius")


def refuse_misplaced(
    members: Mapping[str, msgspec.Raw], where: str, expected: str, faults: FeatureFaults
) -> None:
    """Faults of foreign members, which RFC 7946 lets stand anywhere, named as what properties may ask."""
    if faults.accepted:
        return
    for name in ASKED:
        if members.get(name, ABSENT) != ABSENT:
            faults.add("misplaced", f"{name} {where}: expected it {expected}.{name}")


def refuse_near_names(properties: Mapping[str, object], faults: FeatureFaults) -> None:
    """Faults of names that differ from a condition's in one letter, case, what is no letter, or as Meters do.

    A text is left alone: no condition is one, so that it is likely somebody's own.
    """
    if faults.accepted:
        return
    meant = {_plain(name): name for name in ASKED}
    for name, value in properties.items():
        near = get_close_matches(_plain(name), meant, n=1, cutoff=ONE_LETTER)
        condition = meant[near[0]] if near else name
        if condition != name and value is not None and not isinstance(value, str):
            faults.add("misspelled", f"properties.{name}: expected properties.{condition}, or another name")


def refuse_crossing(properties: Mapping[str, object], faults: FeatureFaults) -> None:
    """A fault where a geofence asks to be crossed by segments, which is for its collection to say.

    Other values are left alone: OpenStreetMap, for one, tags ways with `crossing`.
    """
    if not faults.accepted and properties.get("crossing") == "segment":
        expected = "expected it of the collection (PATCH /v1/collections/NAME, overfly evaluate --crossing)"
        faults.add("misplaced", f'properties.crossing is "segment": {expected}')


ONE_LETTER = 0.9
"""How alike names of ten letters are of which one is another; in shorter ones it may be missing or added."""


def _plain(name: str) -> str:
    letters = "".join(filter(str.isalpha, name[:LONGEST])).lower().replace("meter", "metre")
    return letters.removesuffix("s")


LONGEST = 40
"""Characters of a name that are looked at: more than any of ours has, and than an accident would add."""
