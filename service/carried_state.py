"""What evaluation of one file of positions leaves for the next: devices, their state, and its terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.geofence import Geofence
from geofence.state.inside_state import InsideState
from service.crossing_rule import DEFAULT_RULE, SEGMENT, CrossingRule

MARK_BYTES = 16


class CarriedState:
    """The state of devices under their ids, which are slots of it in their order."""

    def __init__(self, device_ids: Iterable[str] = (), state: InsideState | None = None) -> None:
        self.device_ids = list(device_ids)
        self.state = InsideState() if state is None else state
        self._slots = {device_id: slot for slot, device_id in enumerate(self.device_ids)}

    def slots(self, device_ids: Sequence[str]) -> NDArray[np.int32]:
        """The slot of each; devices that are new get the next ones, and were never evaluated."""
        found = [self._slots.setdefault(device_id, len(self._slots)) for device_id in device_ids]
        self.device_ids += list(self._slots)[len(self.device_ids) :]
        self.state.grow(len(self.device_ids))
        return np.array(found, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What a state was found under, and means nothing without.

    `geofence_ids` are in the order of their keys, from 1 on; `marks` (n x 16 bytes) are equal for geofences
    of the same area and conditions alone. `unknown_altitude_inside` and `rule`: as in evaluation.
    """

    geofence_ids: list[str]
    marks: NDArray[np.uint8]
    unknown_altitude_inside: bool
    rule: CrossingRule

    @classmethod
    def of(
        cls,
        geofences: Sequence[Geofence],
        rule: CrossingRule = DEFAULT_RULE,
        *,
        unknown_altitude_inside: bool,
    ) -> Self:
        """Those of geofences with the keys 1, 2, ..."""
        areas = shapely.to_wkb(np.array([each.geometry for each in geofences], np.object_), byte_order=1)
        marks = [_mark(area, each) for area, each in zip(areas.tolist(), geofences, strict=True)]
        columns = np.frombuffer(b"".join(marks), np.uint8).reshape(-1, MARK_BYTES)
        return cls([each.id for each in geofences], columns, unknown_altitude_inside, rule)

    def difference(self, before: Self) -> str | None:
        """What is other now than it was before, None if nothing that matters is."""
        if self.unknown_altitude_inside != before.unknown_altitude_inside:
            then = "inside" if before.unknown_altitude_inside else "outside"
            return f"positions without altitude were {then} of volumes: expected --unknown-altitude {then}"
        if self.rule != before.rule:
            then = f"--crossing {before.rule.crossing}"
            if before.rule.crossing == SEGMENT:
                then += f" --max-gap {before.rule.max_gap_seconds:g} --max-speed {before.rule.max_speed:g}"
            return f"geofences were crossed otherwise: expected {then}"
        here, there = self._by_id(), before._by_id()
        found = [f"{each} is not among these" for each in there.keys() - here.keys()]
        found += [f"{each} was not there" for each in here.keys() - there.keys()]
        found += [f"{each} was another" for each in here.keys() & there.keys() if here[each] != there[each]]
        if not found:
            return None
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        return (
            f"it is of other geofences: {', '.join(sorted(found)[:SHOWN])}{more}: expected the same as before"
        )

    def keys_from(self, before: Self) -> NDArray[np.int32]:
        """The key of the same geofence now, at the place of each key before; 0 at 0."""
        key = {geofence_id: key for key, geofence_id in enumerate(self.geofence_ids, 1)}
        return np.array([0, *(key[geofence_id] for geofence_id in before.geofence_ids)], np.int32)

    def _by_id(self) -> dict[str, bytes]:
        return dict(zip(self.geofence_ids, map(bytes, self.marks), strict=True))


SHOWN = 3
"""Geofences that a difference names."""


def _mark(area: bytes, geofence: Geofence) -> bytes:
    parts = (area, repr(geofence.radius).encode(), _asked(geofence.conditions).encode())
    return sha256(b"".join(len(part).to_bytes(8, "little") + part for part in parts)).digest()[:MARK_BYTES]


def _asked(conditions: Conditions) -> str:
    """What a geofence asks for, without what it does not."""
    values = (
        (each.name, getattr(conditions, each.name), getattr(UNCONDITIONAL, each.name))
        for each in fields(conditions)
    )
    return repr([(name, value) for name, value, nothing in values if value != nothing])
