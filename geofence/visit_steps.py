"""Steps: where stretches of fixes begin at which a device is inside of a geofence, or outside.

Each begins with a change; or with the first fix, if the device was on a visit before.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from geofence.changes import Changes
from geofence.events import ENTER_KIND
from geofence.numbered_fixes import NumberedFixes
from geofence.state import InsideState
from geofence.visit_records import NEVER, pairs_of
from geofence.visit_rules import VisitRules

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
    changes: Changes, numbers: NumberedFixes, state: InsideState, rules: VisitRules
) -> tuple[Steps, Mask]:
    """The steps of visits that have a rule or a record, and which of the changes are among them."""
    before = _before(numbers, state, rules)
    place = numbers.place()[changes.number]
    taken = rules.find(changes.geofence) >= 0
    if before.remembered.any():
        remembered = pairs_of(before.place, before.geofence)[before.remembered]
        taken |= np.isin(pairs_of(place, changes.geofence), remembered)
    change = np.flatnonzero(taken)
    changed, place = changes.take(change), place[change]
    entering = changed.kind == ENTER_KIND
    with_changes = Steps(
        place=place,
        geofence=changed.geofence,
        rule=rules.find(changed.geofence),
        inside=entering,
        since=changed.time,
        number=changed.number,
        share=changed.share,
        end=numbers.last[place] + 1,
        change=change,
        remembered=np.zeros(len(change), np.bool_),
        entered=changed.time,
        dwelled=np.zeros(len(change), np.bool_),
    )
    pairs = ((getattr(before, each.name), getattr(with_changes, each.name)) for each in fields(Steps))
    steps = Steps(*map(np.concatenate, pairs))
    return steps.take(np.lexsort((steps.share, steps.number, steps.geofence))), taken


def _before(numbers: NumberedFixes, state: InsideState, rules: VisitRules) -> Steps:
    """Those of visits under way before."""
    place, geofence = state.pairs(numbers.devices)
    rule = rules.find(geofence)
    records, remembered = state.visits.of(pairs_of(numbers.devices[place], geofence))
    at = np.flatnonzero(remembered | (rule >= 0))
    place, geofence, remembered, records = place[at], geofence[at], remembered[at], records.take(at)
    outside_since = np.where(remembered, records.outside_since, NEVER)
    return Steps(
        place=place,
        geofence=geofence,
        rule=rule[at],
        inside=outside_since == NEVER,
        since=outside_since,
        number=numbers.past[place],
        share=np.ones(len(at)),
        end=numbers.last[place] + 1,
        change=np.full(len(at), -1),
        remembered=remembered,
        entered=np.where(remembered, records.entered, NEVER),
        dwelled=remembered & records.dwelled,
    )
