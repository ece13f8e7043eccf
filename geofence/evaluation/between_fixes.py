"""The second stage of evaluation: what happens on the paths between fixes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geofence.columns.membership import among
from geofence.conditions.rows import ConditionRows
from geofence.containment import Containment
from geofence.evaluation.conditions_on_paths import conditioned_changes
from geofence.evaluation.evaluator import RawInside
from geofence.evaluation.joined_fixes import JoinedFixes
from geofence.evaluation.watched import Watched
from geofence.events import ENTER_KIND, EXIT_KIND
from geofence.fixes.changes import Changes
from geofence.fixes.fix_columns import FixColumns
from geofence.index.geofence_index import GeofenceIndex
from geofence.paths.crossed_pairs import CrossedPairs
from geofence.paths.paths import Numbers
from geofence.paths.stretches import Changed
from geofence.state.inside_state import InsideState

Flags = NDArray[np.bool_]

DECIMALS = 9
"""Of degrees, a tenth of a millimetre: of positions between fixes."""

TICK = 1e-6
"""Milliseconds that rounding may take: a window of a schedule opens at a whole one."""


@dataclass(frozen=True, slots=True)
class BetweenFixes:
    """Adds what happens between `fixes`, where these are joined, to what happens at them.

    `containment` is of the fixes by place alone, `rows` are the conditions of geofences, `state` is what came
    before. Called with what was found at fixes it gives back all changes.

    A path counts for a geofence if both its fixes do, if the device is among those of the geofence at the
    latter, and if what is crossed leads from what the device was inside of before to what it is inside of
    then. Else the geofence, or what it asks for, was another at the former fix, and the change is at the
    latter.
    """

    watched: Sequence[Watched]
    rows: ConditionRows
    fixes: FixColumns
    containment: Containment
    state: InsideState

    def __call__(self, raw: RawInside) -> Changes:
        """All changes, at fixes and between."""
        joined = JoinedFixes.of(raw.numbers, self.fixes, self.state)
        at_fixes, between = np.ones(len(raw.changes), np.bool_), []
        for each in self.watched:
            if each.joining is not None:
                crossed = self._crossed(each.index, joined, joined.near_enough(each.joining))
                crossed = crossed.take(_agree(joined, crossed, raw))
                at_fixes &= ~_found_between(joined, crossed, raw.changes)
                between.append(_changes(joined, crossed))
        return Changes.joined([raw.changes.take(at_fixes), *between])

    def _crossed(self, index: GeofenceIndex, joined: JoinedFixes, near_enough: Flags) -> CrossedPairs:
        """Pairs of a path and a geofence for which it counts."""
        path = np.flatnonzero(near_enough)
        found = index.crossings(joined.paths.take(path))
        found = replace(found, path=path[found.path])
        if not len(self.rows):
            return CrossedPairs.of(found, np.empty(0, np.int64))
        crossed = CrossedPairs.of(found, self._staying(index, joined, near_enough))
        return self._conditioned(joined, crossed.take(self._count(joined, crossed)))

    def _staying(self, index: GeofenceIndex, joined: JoinedFixes, near_enough: Flags) -> Numbers:
        """Pairs of a path and a geofence in whose area it ends, where that asks for altitudes or times.

        If it crosses nothing it is in the area all along. As path << 32 | geofence.
        """
        rows = self.rows.columns
        asked = rows.geofence[rows.banded | rows.scheduled]
        asking = np.flatnonzero(np.isin(self.containment.geofence, asked))
        path_of_fix = np.full(len(self.fixes), -1)
        path_of_fix[joined.fix[near_enough]] = np.flatnonzero(near_enough)
        path, geofence = path_of_fix[self.containment.position[asking]], self.containment.geofence[asking]
        keys, of = np.unique(geofence, return_inverse=True)
        known = np.array([key in index for key in keys.tolist()], np.bool_)
        kept = (path >= 0) & known[of]
        return path[kept] << 32 | geofence[kept]

    def _count(self, joined: JoinedFixes, crossed: CrossedPairs) -> Flags:
        """Whether both fixes are accurate enough, and the device at the latter is one of the geofence's."""
        row, known = self.rows.find(crossed.geofence)
        limit = np.full(len(crossed), np.inf)
        limit[known] = self.rows.columns.accuracy[row[known]]
        before, after = (accuracy[crossed.path] for accuracy in joined.accuracies())
        count = ~((before > limit) | (after > limit))
        fix = joined.fix[crossed.path]
        taken = self.rows.of_devices(self.fixes, Containment(fix, crossed.geofence))
        count &= np.isin(fix << 32 | crossed.geofence, taken.position << 32 | taken.geofence)
        return count

    def _conditioned(self, joined: JoinedFixes, crossed: CrossedPairs) -> CrossedPairs:
        """The same, with the changes that bands of altitude and schedules leave or make."""
        rows = self.rows.columns
        row, known = self.rows.find(crossed.geofence)
        asking = known.copy()
        asking[known] = (rows.banded | rows.scheduled)[row[known]]
        if not asking.any():
            return crossed
        pair, some = np.flatnonzero(asking), crossed.take(asking)
        found = conditioned_changes(
            joined.take(some.path),
            some.inside(),
            rows,
            row[asking],
            unknown_altitude_inside=self.rows.unknown_altitude_inside,
        )
        others = crossed.changed.take(~asking[crossed.changed.of])
        found = Changed(pair[found.of], found.share, found.entering)
        return replace(crossed, changed=Changed.joined([others, found]).in_order())


def _agree(joined: JoinedFixes, crossed: CrossedPairs, raw: RawInside) -> Flags:
    """Whether what is crossed leads from how the device was before to how it is then."""
    number, geofence = joined.number[crossed.path], crossed.geofence.astype(np.int64) << 32
    before, after = among(geofence | number - 1, raw.pairs), among(geofence | number, raw.pairs)
    of = crossed.changed.of
    odd = np.bincount(of, minlength=len(crossed)) % 2 == 1
    which, first = np.unique(of, return_index=True)
    agree = odd == (before != after)
    leads: Flags = np.zeros(len(crossed), np.bool_)
    leads[which] = agree[which] & (crossed.changed.entering[first] != before[which])
    return leads


def _found_between(joined: JoinedFixes, crossed: CrossedPairs, at_fixes: Changes) -> Flags:
    """Which changes at fixes were on the way to them."""
    found = np.sort(joined.number[crossed.path] << 32 | crossed.geofence)
    return among(at_fixes.number << 32 | at_fixes.geofence, found)


def _changes(joined: JoinedFixes, crossed: CrossedPairs) -> Changes:
    """What happened on the way, when and where."""
    changed = crossed.changed
    on_way = joined.take(crossed.path[changed.of])
    gap = on_way.end - on_way.start
    after = np.maximum(np.ceil(changed.share * gap - TICK), 1).astype(np.int64)
    longitude, latitude = on_way.paths.at(changed.share)
    return Changes(
        on_way.number,
        crossed.geofence[changed.of],
        np.where(changed.entering, ENTER_KIND, EXIT_KIND).astype(np.int8),
        changed.share,
        on_way.start + after,
        np.round(longitude, DECIMALS),
        np.round(latitude, DECIMALS),
        np.ones(len(changed.of), np.bool_),
    )
