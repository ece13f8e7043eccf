"""Visits: what is told where a geofence asks for more than changes.

The changes of one device and geofence part its time into stretches inside and outside. An absence ends the
visit when a fix confirms it; else the visit goes on behind it. So a visit is one stretch inside, or several:

    stretches   inside  outside  inside   outside       inside
    fixes        .   .    .       .   .    .    x   .    .   .      x confirms
    told       ENTER                           EXIT    ENTER

Without hysteresis a change out is the EXIT; an absence that began when there was some, any fix confirms.
"""

from dataclasses import dataclass

import numpy as np

from geofence.conditions.poor_fixes import PoorFixes
from geofence.events import DWELL_KIND, EXIT_KIND
from geofence.fixes.changes import Changes
from geofence.fixes.fix_columns import FixColumns
from geofence.fixes.numbered_fixes import NumberedFixes
from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, NO_VISITS, VisitRecords
from geofence.visits.inside_before import InsideBefore
from geofence.visits.rules import LONGEST, VisitRules
from geofence.visits.steps import Mask, Numbers, Steps, steps_of
from geofence.visits.stretches import Distances, Stretches

NOWHERE = int(np.iinfo(np.int64).max)
"""Behind the number of every fix."""


@dataclass(frozen=True, slots=True)
class Told:
    """`events` in no order, `records` of visits that are new or other than before.

    `pending` are visits under way whose device is outside: geofence << 32 | number of its last fix.
    """

    events: Changes
    records: VisitRecords
    pending: Numbers


@dataclass(frozen=True, slots=True)
class Visits:
    """The rules by which changes become events, and who knows how far away devices are."""

    rules: VisitRules
    distances: Distances

    def told(
        self,
        changes: Changes,
        before: InsideBefore,
        numbers: NumberedFixes,
        fixes: FixColumns,
        state: InsideState,
        poor: PoorFixes | None,
    ) -> Told:
        """What is told of changes at these fixes and on the way to them, which come after `before`."""
        time = numbers.time(fixes, state.watermark)
        steps, taken = steps_of(changes, before, numbers, time, self.rules)
        if not len(steps):
            return Told(changes, NO_VISITS, np.empty(0, np.int64))
        stretches = Stretches(steps, numbers, time, fixes, poor)
        confirmed_at, unconfirmed = self._absences(steps, stretches)
        ends = ~steps.inside & ~unconfirmed
        course = _Course(steps, ends, stretches)
        dwelled_at = self._dwelled_at(course, stretches)

        begins_or_ends = (course.begins & steps.inside) | (ends & (confirmed_at < 0))
        as_they_were = np.flatnonzero(begins_or_ends & (steps.change >= 0))
        exits, dwells = np.flatnonzero(confirmed_at >= 0), np.flatnonzero(dwelled_at != NOWHERE)
        at_fixes = Changes.at_fixes(
            np.concatenate([confirmed_at[exits], dwelled_at[dwells]]),
            np.concatenate([steps.geofence[exits], steps.geofence[course.first[dwells]]]),
            np.repeat(np.array([EXIT_KIND, DWELL_KIND], np.int8), [len(exits), len(dwells)]),
            fixes,
            numbers,
        )
        pending = np.flatnonzero(steps.last & unconfirmed)
        return Told(
            Changes.joined([changes.take(~taken), changes.take(steps.change[as_they_were]), at_fixes]),
            course.records(numbers, dwelled_at != NOWHERE),
            steps.geofence[pending].astype(np.int64) << 32 | numbers.last[steps.place[pending]],
        )

    def _absences(self, steps: Steps, stretches: Stretches) -> tuple[Numbers, Mask]:
        """Of each step the number of the fix that confirms the absence, else -1; and where one is wanting."""
        metres = self.rules.metres[steps.rule]
        to_confirm = ~steps.inside & (self.rules.confirmed[steps.rule] | (steps.change < 0))
        time = steps.since + self.rules.absence[steps.rule]
        confirmed_at = np.full(len(steps), -1)
        near, far = np.flatnonzero(to_confirm & (metres == 0)), np.flatnonzero(to_confirm & (metres > 0))
        confirmed_at[near] = stretches.first(near, time[near])
        confirmed_at[far] = stretches.first_away(far, time[far], metres[far], self.distances)
        return confirmed_at, to_confirm & (confirmed_at < 0)

    def _dwelled_at(self, course: "_Course", stretches: Stretches) -> Numbers:
        """Of each visit the number of the fix at which DWELL is to be told, NOWHERE if at none."""
        steps, visit = course.steps, course.visit
        waiting = ~course.dwelled & (course.entered != NEVER)
        dwell = self.rules.dwell[steps.rule]
        step = np.flatnonzero(steps.inside & (dwell < LONGEST) & waiting[visit])
        return course.least(step, stretches.first(step, course.entered[visit[step]] + dwell[step]))


class _Course:
    """Which visits some steps are part of, in turn.

    `begins` says which steps are the first of a visit, `visit` which of the visits each step is part of. Of
    the visits: the `first` step, when the device `entered` (ms, NEVER if it was before there was a fix to go
    by), and whether it had `dwelled` before.
    """

    def __init__(self, steps: Steps, ends: Mask, stretches: Stretches) -> None:
        self.steps = steps
        self.begins = steps.first
        self.begins[1:] |= ends[:-1]
        self.visit = np.cumsum(self.begins) - 1
        self.first = np.flatnonzero(self.begins)
        self.dwelled = steps.dwelled[self.first]
        self.entered = steps.entered[self.first]
        self._ends = ends
        unknown = self.entered == NEVER
        step = np.flatnonzero(unknown[self.visit])
        first_fix = self.least(step, stretches.first(step, np.full(len(step), NEVER)))
        known = np.flatnonzero(unknown & (first_fix != NOWHERE))
        self.entered[known] = stretches.time[first_fix[known]]

    def least(self, step: Numbers, number: Numbers) -> Numbers:
        """Of each visit the least of the numbers found for these steps (-1 if none), or NOWHERE."""
        least = np.full(len(self.first), NOWHERE)
        found = number >= 0
        np.minimum.at(least, self.visit[step[found]], number[found])
        return least

    def records(self, numbers: NumberedFixes, dwelled: Mask) -> VisitRecords:
        """Of the visits that go on, unless they are remembered so. `dwelled`: which have done so now."""
        steps = self.steps
        step = np.flatnonzero(steps.last & ~self._ends)
        visit = self.visit[step]
        first = self.first[visit]
        found = VisitRecords(
            numbers.devices[steps.place[step]],
            steps.geofence[step],
            self.entered[visit],
            np.where(steps.inside[step], NEVER, steps.since[step]),
            (self.dwelled | dwelled)[visit],
        )
        known = steps.remembered[first]
        same = known & (found.outside_since == steps.since[first]) & (found.dwelled == steps.dwelled[first])
        return found.take(((steps.rule[step] >= 0) | known) & (found.entered != NEVER) & ~same)
