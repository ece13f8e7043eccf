"""Steps: where stretches of fixes begin at which a device is inside of a geofence, or outside.

Each begins with a change; or with the first fix, if the device was on a visit before.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from geofence.columns.membership import among
from geofence.events import ENTER_KIND
from geofence.fixes.changes import Changes
from geofence.fixes.numbered_fixes import NumberedFixes
from geofence.state.visit_records import NEVER, pairs_of
from geofence.visits.inside_before import InsideBefore
from geofence.visits.rules import VisitRules

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Steps:
    """n steps, by geofence and device, then as they follow one another.

    `place` says which of the devices it is, `geofence` is a key, `rule` the row of its rule. The stretch is
    `inside` or not. It began at `since` (ms), `share` of the path into the fix of this `number`, with
    `change`, by its place. `end` is the number behind the device's last fix.

    Where `change` is -1 the stretch had begun before, `number` is that of the past, `since` NEVER if it is
    inside. `remembered` says whether the visit has a record, `entered` (ms) and `dwelled` what that says;
    `entered` is NEVER where there is neither a change nor a record.
    """

    place: Numbers
    geofence: NDArray[np.int32]
    rule: NDArray[np.intp]
    inside: Mask
    since: Numbers
    number: Numbers
    share: NDArray[np.float64]
    end: Numbers
    change: Numbers
    remembered: Mask
    entered: Numbers
    dwelled: Mask

    def __len__(self) -> int:
        return len(self.place)

    @property
    def first(self) -> Mask:
        """Of each, whether there is none before of the same device and geofence."""
        first = np.ones(len(self), np.bool_)
        first[1:] = self.geofence[1:] != self.geofence[:-1]
        first[1:] |= self.place[1:] != self.place[:-1]
        return first

    @property
    def last(self) -> Mask:
        """Of each, whether there is none behind it of the same device and geofence."""
        return np.roll(self.first, -1)

    @property
    def start(self) -> Numbers:
        """The number of the first fix of each stretch, if it has any."""
        return self.number + (self.change < 0)

    @property
    def until(self) -> Numbers:
        """The number behind the last fix of each stretch: that of the next step, or the end."""
        return np.where(self.last, self.end, np.roll(self.number, -1))

    def take(self, index: NDArray[np.intp]) -> "Steps":
        """The steps at `index`."""
        return Steps(*(getattr(self, column.name)[index] for column in fields(self)))


def steps_of(
    changes: Changes,
    before: InsideBefore,
    numbers: NumberedFixes,
    time: Numbers,
    rules: VisitRules,
) -> tuple[Steps, Mask]:
    """The steps of visits of which there may be something to tell, and which of the changes are among them.

    That is, where a geofence has a rule or a visit a record. `time` (ms) is of each number.
    """
    place = numbers.place()[changes.number]
    changed_pairs = pairs_of(place, changes.geofence)
    begun = _begun_before(before, np.sort(changed_pairs), numbers, time, rules)
    taken = rules.find(changes.geofence) >= 0
    if begun.remembered.any():
        remembered = pairs_of(begun.place, begun.geofence)[begun.remembered]
        taken |= among(changed_pairs, np.sort(remembered))
    change = np.flatnonzero(taken)
    changed, place = changes.take(change), place[change]
    with_changes = Steps(
        place=place,
        geofence=changed.geofence,
        rule=rules.find(changed.geofence),
        inside=changed.kind == ENTER_KIND,
        since=changed.time,
        number=changed.number,
        share=changed.share,
        end=numbers.last[place] + 1,
        change=change,
        remembered=np.zeros(len(change), np.bool_),
        entered=changed.time,
        dwelled=np.zeros(len(change), np.bool_),
    )
    pairs = ((getattr(begun, each.name), getattr(with_changes, each.name)) for each in fields(Steps))
    steps = Steps(*map(np.concatenate, pairs))
    return steps.take(np.lexsort((steps.share, steps.number, steps.geofence))), taken


def _begun_before(
    before: InsideBefore, changed: Numbers, numbers: NumberedFixes, time: Numbers, rules: VisitRules
) -> Steps:
    """Those of visits under way before, but for visits that just go on.

    Just to go on is to be remembered, inside and without change, with no DWELL to tell yet. `changed` are
    the pairs that have changes, ascending.
    """
    rule, records = rules.find(before.geofence), before.records
    told_later = records.dwelled | (records.entered + rules.dwell[rule] > time[numbers.last[before.place]])
    goes_on = before.remembered & (records.outside_since == NEVER) & told_later
    goes_on[goes_on] = ~among(pairs_of(before.place[goes_on], before.geofence[goes_on]), changed)
    at = np.flatnonzero((before.remembered | (rule >= 0)) & ~goes_on)
    before, rule = before.take(at), rule[at]
    remembered, records = before.remembered, before.records
    outside_since = np.where(remembered, records.outside_since, NEVER)
    return Steps(
        place=before.place,
        geofence=before.geofence,
        rule=rule,
        inside=outside_since == NEVER,
        since=outside_since,
        number=numbers.past[before.place],
        share=np.ones(len(at)),
        end=numbers.last[before.place] + 1,
        change=np.full(len(at), -1),
        remembered=remembered,
        entered=np.where(remembered, records.entered, NEVER),
        dwelled=remembered & records.dwelled,
    )
