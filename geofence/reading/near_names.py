"""Properties named nearly as conditions are: taken as somebody's own, the geofence would be too wide."""

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


def _plain(name: str) -> str:
    letters = name.lower().replace("_", "").replace("-", "").replace("meter", "metre")
    return letters.removesuffix("s")
