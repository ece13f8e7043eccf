"""Laws of visits, against one device and geofence, one fix after the other."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.conditions.poor_fixes import PoorFixes
from geofence.containment import Containment
from geofence.evaluation.evaluator import RawInside, evaluate
from geofence.fixes.changes import Changes
from geofence.fixes.fix_columns import FixColumns
from geofence.state.inside_state import InsideState
from geofence.state.visit_records import NEVER, VisitRecords
from geofence.visits.rules import VisitRules
from geofence.visits.visits import Visits
from tests.geofence.visits.reference import Crossed, Event, State, Visit, in_order, state_of

pytestmark = pytest.mark.usefixtures("kernel")

DEVICES, FENCES = 3, 4
GREATEST = {1: 20.0, 3: 5.0}
"""Metres of accuracy, of those geofences that ask for it."""


class Fix(NamedTuple):
    """A fix so many metres away from every geofence, in some of them for all that.

    `shares` are where paths to it cross geofences, by key.
    """

    device: int
    sample_time: int
    within: frozenset[int]
    metres: float = 0.0
    accuracy: float = math.nan
    shares: tuple[tuple[int, tuple[float, ...]], ...] = ()


class Told(NamedTuple):
    """An event of a device."""

    device: int
    sample_time: int
    event: Event


def counts(fix: Fix, geofence: int) -> bool:
    return not fix.accuracy > GREATEST.get(geofence, math.inf)


def crossed(before: Fix | None, fix: Fix, geofence: int, within: bool) -> list[Crossed]:
    """Where the path from the fix before crosses the geofence, if the device was within before or not."""
    if before is None or not counts(before, geofence):
        return []
    shares = list(dict(fix.shares).get(geofence, ()))
    if (len(shares) % 2 == 1) != (within != (geofence in fix.within)):
        shares = shares[1:]
    if (len(shares) % 2 == 1) != (within != (geofence in fix.within)):
        return []
    start, gap = before.sample_time, fix.sample_time - before.sample_time
    return [Crossed(share, start + max(1, math.ceil(share * gap))) for share in shares]


class Reference:
    """One fix after the other."""

    def __init__(self) -> None:
        self.conditions: dict[int, Conditions] = {}
        self.last: dict[int, Fix] = {}
        self.visits: dict[tuple[int, int], Visit] = {}

    def events(self, fixes: Sequence[Fix]) -> list[Told]:
        found: list[Told] = []
        for fix in sorted(fixes, key=lambda fix: fix[:2]):
            last = self.last.get(fix.device)
            if last is not None and last.sample_time >= fix.sample_time:
                continue
            of_fix = [each for geofence in range(1, FENCES + 1) for each in self.of_pair(last, fix, geofence)]
            found += [Told(fix.device, fix.sample_time, event) for event in in_order(of_fix)]
            self.last[fix.device] = fix
        return found

    def of_pair(self, last: Fix | None, fix: Fix, geofence: int) -> list[Event]:
        if not counts(fix, geofence):
            return []
        visit = self.visits.setdefault((fix.device, geofence), Visit())
        return visit.events(
            geofence,
            self.conditions.get(geofence, UNCONDITIONAL),
            fix.sample_time,
            geofence in fix.within,
            crossed(last, fix, geofence, visit.within),
            lambda: fix.metres,
        )

    def discard(self, gone: frozenset[int]) -> None:
        self.visits = {pair: visit for pair, visit in self.visits.items() if pair[1] not in gone}

    def state(self) -> State:
        return state_of(self.visits)


class Kernel:
    """The same through the evaluator."""

    def __init__(self) -> None:
        self.rules = VisitRules.of({})
        self.state = InsideState(DEVICES)
        self.last: dict[int, Fix] = {}

    def put(self, conditions: Mapping[int, Conditions]) -> None:
        self.rules = self.rules.put(conditions)

    def events(self, fixes: Sequence[Fix]) -> list[Told]:
        pairs = [(number, key) for number, fix in enumerate(fixes) for key in sorted(fix.within)]
        columns = np.array(pairs, np.int64).reshape(-1, 2)
        accuracy = np.array([fix.accuracy for fix in fixes])
        time = np.array([fix.sample_time for fix in fixes], np.int64)
        metres = np.array([fix.metres for fix in fixes], np.float64)
        poor = PoorFixes(accuracy, np.array(list(GREATEST), np.int32), np.array(list(GREATEST.values())))
        evaluation = evaluate(
            FixColumns(
                device=np.array([fix.device for fix in fixes], np.int32),
                device_ids=[],
                sample_time=time,
                longitude=metres,
                latitude=np.zeros(len(fixes)),
                accuracy=accuracy,
                altitudes=lambda numbers: np.zeros(len(numbers)),
                properties=no_properties,
            ),
            Containment(columns[:, 0], columns[:, 1].astype(np.int32)),
            self.state,
            poor if (accuracy > min(GREATEST.values())).any() else None,
            lambda raw: self.paths(raw, fixes),
            Visits(self.rules, lambda geofence, longitude, latitude, limit: longitude),
        )
        before = set(self.evaluated_state()[1])
        self.state.apply(evaluation)
        assert set(rows_of(evaluation.records)) == set(self.evaluated_state()[1]) - before
        for fix in sorted(fixes, key=lambda fix: fix[:2]):
            if fix.sample_time > self.last.get(fix.device, Fix(0, NEVER, frozenset())).sample_time:
                self.last[fix.device] = fix
        columns_of_events = zip(
            evaluation.share.tolist(),
            evaluation.kind.tolist(),
            evaluation.geofence.tolist(),
            [("EXIT", "ENTER", "DWELL")[kind] for kind in evaluation.kind.tolist()],
            evaluation.time.tolist(),
            evaluation.interpolated.tolist(),
            evaluation.ordinal.tolist(),
            strict=True,
        )
        events = [Event(*row) for row in columns_of_events]
        at = zip(evaluation.device.tolist(), time[evaluation.position].tolist(), events, strict=True)
        return [Told(*each) for each in at]

    def paths(self, raw: RawInside, fixes: Sequence[Fix]) -> Changes:
        """Crossings as the fixes say, and the changes of the first stage where there are none."""
        pairs, places = set(raw.pairs.tolist()), raw.numbers.place()
        rows: list[tuple[object, ...]] = []
        replaced: set[tuple[int, int]] = set()
        for number, at in enumerate(raw.numbers.fix[:-1].tolist()):
            if at < 0:
                continue
            before = raw.numbers.fix[number - 1]
            device = int(raw.numbers.devices[places[number]])
            last = fixes[before] if before >= 0 else self.last.get(device)
            for geofence in range(1, FENCES + 1):
                within = (geofence << 32 | number - 1) in pairs
                if not counts(fixes[at], geofence):
                    continue
                for share, time in crossed(last, fixes[at], geofence, within):
                    within = not within
                    replaced.add((number, geofence))
                    rows.append((number, geofence, within, share, time, 0.0, 0.0, True))
        kept = [
            pair not in replaced
            for pair in zip(raw.changes.number.tolist(), raw.changes.geofence.tolist(), strict=True)
        ]
        columns = zip(*rows[::-1], strict=True) if rows else [()] * 8
        kinds = (np.int64, np.int32, np.int8, np.float64, np.int64, np.float64, np.float64, np.bool_)
        found = Changes(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))
        return Changes.joined([found, raw.changes.take(np.array(kept, np.bool_))])

    def discard(self, gone: frozenset[int]) -> None:
        self.state.discard_geofences(np.array(sorted(gone), np.int32))

    def evaluated_state(self) -> State:
        inside = [(device, key) for device in range(DEVICES) for key in self.state.inside(device)]
        return inside, rows_of(self.state.visits.all)


def rows_of(records: VisitRecords) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in records.columns()), strict=True))


def no_properties(numbers: NDArray[np.int64]) -> list[str]:
    raise AssertionError("no geofence asks for properties")


shares = st.sets(st.sampled_from([0.0, 0.25, 0.5, 0.501, 1.0]), max_size=4).map(sorted).map(tuple)
fixes = st.builds(
    Fix,
    st.integers(0, DEVICES - 1),
    st.integers(-2_000, 2_000),
    st.frozensets(st.integers(1, FENCES)),
    st.sampled_from([0.0, 1.0, 50.0, 100.0, 1e6]),
    st.sampled_from([math.nan, 0.0, 10.0, 20.0, 30.0]),
    st.dictionaries(st.integers(1, FENCES), shares, max_size=3).map(lambda each: tuple(each.items())),
)
streams = st.lists(fixes, max_size=30)
seconds = st.sampled_from([None, 0.001, 0.1, 0.5, 1.0, 3.0])
asked = st.builds(
    Conditions,
    dwell_seconds=seconds,
    exit_after_seconds=seconds | st.just(0.0),
    exit_after_metres=st.sampled_from([None, 0.0, 1.0, 50.0]),
)
put = st.dictionaries(st.integers(1, FENCES), asked | st.just(UNCONDITIONAL))


@given(batches=st.lists(st.tuples(put, st.frozensets(st.integers(1, FENCES)), streams), max_size=4))
@settings(max_examples=35, deadline=None)
def test_events_and_state_equal_those_of_one_fix_after_the_other_while_fences_change(
    batches: list[tuple[dict[int, Conditions], frozenset[int], list[Fix]]],
) -> None:
    kernel, reference = Kernel(), Reference()
    for number, (conditions, gone, stream) in enumerate(batches):
        batch = [fix._replace(sample_time=fix.sample_time + 3_000 * number) for fix in stream]
        kernel.put(conditions)
        kernel.discard(gone)
        reference.discard(gone)
        reference.conditions |= conditions
        assert kernel.events(batch) == reference.events(batch)
        assert kernel.evaluated_state() == reference.state()


@given(stream=streams, conditions=put, places=st.lists(st.integers(0, 30), max_size=5), stored=st.booleans())
@settings(max_examples=35, deadline=None)
def test_any_split_of_a_stream_into_batches_gives_the_same_events_and_state(
    stream: list[Fix], conditions: dict[int, Conditions], places: list[int], stored: bool
) -> None:
    stream = sorted(stream, key=lambda fix: fix.sample_time)
    whole, parts = Kernel(), Kernel()
    whole.put(conditions)
    parts.put(conditions)
    cuts = sorted(place % (len(stream) + 1) for place in places)
    bit_by_bit: list[Told] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        bit_by_bit += parts.events(stream[start:end])
        if stored:
            parts.state = loaded_again(parts.state)
    assert sorted(bit_by_bit) == sorted(whole.events(stream))
    assert parts.evaluated_state() == whole.evaluated_state()


def loaded_again(state: InsideState) -> InsideState:
    """What a worker that starts anew knows from what was written."""
    again, slots = InsideState(len(state)), np.arange(len(state))
    again.set_watermark(slots, state.watermark)
    number, geofence = state.pairs(slots)
    again.load(number, geofence)
    again.visits.put(state.visits.all)
    again.set_last_fixes(slots, state.last_fixes(slots))
    return again
