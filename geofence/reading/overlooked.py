"""Properties that would be overlooked: named nearly as conditions are, or asked of a geofence in vain."""

from collections.abc import Iterable, Mapping

from geofence.faults import FeatureFaults


def refuse_near_names(
    properties: Mapping[str, object], conditions: Iterable[str], faults: FeatureFaults
) -> None:
    """Faults of names that differ from a condition's in case, '_', '-', plural or Meters for Metres.

    A text is left alone: no condition is one, so that it is likely somebody's own.
    """
    meant = {_plain(name): name for name in conditions}
    for name, value in properties.items():
        condition = meant.get(_plain(name), name)
        if condition != name and value is not None and not isinstance(value, str):
            faults.add("misspelled", f"properties.{name}: expected properties.{condition}, or another name")


def refuse_crossing(properties: Mapping[str, object], faults: FeatureFaults) -> None:
    """A fault where a geofence asks to be crossed by segments, which is for its collection to say.

    Other values are left alone: OpenStreetMap, for one, tags ways with `crossing`.
    """
    if properties.get("crossing") == "segment":
        expected = "expected it of the collection (PATCH /v1/collections/NAME, overfly evaluate --crossing)"
        faults.add("misplaced", f'properties.crossing is "segment": {expected}')


def _plain(name: str) -> str:
    letters = name.lower().replace("_", "").replace("-", "").replace("meter", "metre")
    return letters.removesuffix("s")
