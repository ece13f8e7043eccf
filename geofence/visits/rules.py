"""What geofences ask of visits: after which time DWELL is told, and which EXIT has to be confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.conditions import Conditions

LONGEST = 2**53
"""Milliseconds after which nothing is told any more."""

NO_RULE = (1 << 31, LONGEST, False, 0, 0.0)
"""The last row of all rules, behind every key, so that -1 stands for geofences without a rule."""


@dataclass(frozen=True, slots=True)
class VisitRules:
    """Of geofences, by key.

    `dwell` (ms) after the ENTER a DWELL is told, LONGEST where none is. Where an EXIT has to be `confirmed`,
    that is by a fix at least `absence` (ms) later and `metres` away.
    """

    geofence: NDArray[np.int64]
    dwell: NDArray[np.int64]
    confirmed: NDArray[np.bool_]
    absence: NDArray[np.int64]
    metres: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.geofence) - 1

    @classmethod
    def of(cls, conditions: Mapping[int, Conditions]) -> Self:
        """The rules of those that ask something of visits, given by key in any order."""
        rows = [_row(key, each) for key, each in sorted(conditions.items()) if _asks(each)]
        columns = zip(*rows, NO_RULE, strict=True)
        return cls(*(np.array(column, kind) for column, kind in zip(columns, KINDS, strict=True)))

    def put(self, conditions: Mapping[int, Conditions]) -> Self:
        """These, with geofences that are new or in the place of those that have these keys."""
        kept, new = self.discard(np.array(list(conditions), np.int64)), type(self).of(conditions)
        place = np.searchsorted(kept.geofence, new.geofence[:-1])
        columns = zip(kept._columns(), new._columns(), strict=True)
        return type(self)(*(np.insert(old, place, added[:-1]) for old, added in columns))

    def discard(self, keys: NDArray[np.integer]) -> Self:
        """These without some geofences; one that has no rule is no error."""
        rule = self.find(keys)
        gone = rule[rule >= 0]
        return type(self)(*(np.delete(column, gone) for column in self._columns())) if len(gone) else self

    def find(self, keys: NDArray[np.integer]) -> NDArray[np.intp]:
        """The row of each of these geofences, -1 where it has no rule."""
        place = np.searchsorted(self.geofence, keys)
        return np.where(self.geofence[place] == keys, place, -1)

    def _columns(self) -> list[NDArray[Any]]:
        return [getattr(self, column.name) for column in fields(self)]


KINDS: tuple[Any, ...] = (np.int64, np.int64, np.bool_, np.int64, np.float64)


def _asks(conditions: Conditions) -> bool:
    asked = (conditions.dwell_seconds, conditions.exit_after_seconds, conditions.exit_after_metres)
    return asked != (None, None, None)


def _row(key: int, conditions: Conditions) -> tuple[object, ...]:
    dwell, absence = conditions.dwell_seconds, conditions.exit_after_seconds
    return (
        key,
        LONGEST if dwell is None else round(dwell * 1000),
        absence is not None or conditions.exit_after_metres is not None,
        0 if absence is None else round(absence * 1000),
        conditions.exit_after_metres or 0.0,
    )
