"""Laws of evaluation under conditions, against one fix after the other."""

import fnmatch
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import Point

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.containment import Containment
from geofence.evaluation.fence_conditions import FenceConditions
from geofence.events import ENTER_KIND
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from geofence.state.inside_state import InsideState
from tests.geofence.reference import Crossing

pytestmark = pytest.mark.usefixtures("kernel")

DEVICE_IDS = ["4b17", "4B17", "4b18x", "-"]
FENCES = 5
AREA = Point(0, 0)
METRES = (0.0, 10.0, 30.0)
NAN = math.nan

REPORTED = ("", '{"a":"x1"}', '{"a":7}', '{"a":"x1","b":true}', '{"a":["x1"],"b":"true"}', '{"a":"","b":1.5}')
ASKED = ((("a", ("x*",)),), (("a", ("7", "x1")), ("b", ("true", "?.5"))), (("b", ("*",)),))

WEDNESDAY, THURSDAY = (Timetable("UTC", WeeklyHours(((day, 0, 1440),))) for day in (2, 3))
IS_LIVE: Mapping[Timetable, Callable[[int], bool]] = {
    WEDNESDAY: lambda time: time < 0,  # 1970 began with a Thursday
    THURSDAY: lambda time: time >= 0,
}


class Fix(NamedTuple):
    """A fix of a device, and the keys of the geofences in whose area it is."""

    device: int
    sample_time: int
    within: frozenset[int]
    altitude: float = NAN
    accuracy: float = NAN
    properties: str = ""


def fence(conditions: Conditions) -> Geofence:
    return Geofence("any", AREA, 1.0, {}, conditions)


class Reference:
    """One fix after the other."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self.unknown_altitude_inside = unknown_altitude_inside
        self.conditions: dict[int, Conditions] = {}
        self.watermark: dict[int, int] = {}
        self.inside: dict[int, set[int]] = {}

    def crossings(self, fixes: Sequence[Fix]) -> list[Crossing]:
        """Of one batch, whose fixes come in any order."""
        found: list[Crossing] = []
        for fix in sorted(fixes, key=lambda fix: fix[:2]):
            if fix.sample_time > self.watermark.get(fix.device, fix.sample_time - 1):
                before = self.inside.get(fix.device, set())
                after = {key for key in range(1, FENCES + 1) if self.is_inside(fix, key, key in before)}
                changes = [(False, key) for key in before - after] + [(True, key) for key in after - before]
                found += [Crossing(fix.device, fix.sample_time, *change) for change in sorted(changes)]
                self.watermark[fix.device], self.inside[fix.device] = fix.sample_time, after
        return found

    def is_inside(self, fix: Fix, key: int, before: bool) -> bool:
        asked = self.conditions.get(key, UNCONDITIONAL)
        if asked.max_accuracy is not None and fix.accuracy > asked.max_accuracy:
            return before
        return (
            key in fix.within
            and self.within_band(fix.altitude, asked)
            and self.is_taken(fix, asked)
            and self.is_described(fix, asked)
            and (asked.schedule is None or IS_LIVE[asked.schedule](fix.sample_time))
        )

    def within_band(self, altitude: float, asked: Conditions) -> bool:
        low, high = asked.min_altitude, asked.max_altitude
        if math.isnan(altitude):
            return self.unknown_altitude_inside or (low is None and high is None)
        return (low is None or low <= altitude) and (high is None or altitude <= high)

    def is_taken(self, fix: Fix, asked: Conditions) -> bool:
        device_id = DEVICE_IDS[fix.device]
        return asked.devices is None or any(fnmatch.fnmatchcase(device_id, each) for each in asked.devices)

    def is_described(self, fix: Fix, asked: Conditions) -> bool:
        reported = json.loads(fix.properties or "{}")
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in reported.items()
            if isinstance(value, str | float | int)
        }
        return all(
            name in texts and any(fnmatch.fnmatchcase(texts[name], each) for each in patterns)
            for name, patterns in asked.device_properties or ()
        )


class Kernel:
    """The same through the evaluator."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self.conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self.state = InsideState(len(DEVICE_IDS))
        self.asked: set[int] = set()
        self.asked_for_properties: set[int] = set()

    def put(self, conditions: Mapping[int, Conditions]) -> None:
        self.conditions.put({key: fence(each) for key, each in conditions.items()})

    def crossings(self, fixes: Sequence[Fix]) -> list[Crossing]:
        pairs = [(number, key) for number, fix in enumerate(fixes) for key in sorted(fix.within)]
        columns = np.array(pairs, np.int64).reshape(-1, 2)
        altitude: NDArray[np.float64] = np.array([fix.altitude for fix in fixes], np.float64)

        def altitudes(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
            self.asked.update(numbers.tolist())
            return altitude[numbers]

        def properties(numbers: NDArray[np.int64]) -> list[str]:
            self.asked_for_properties.update(numbers.tolist())
            return [fixes[number].properties for number in numbers.tolist()]

        evaluation = self.conditions.evaluate(
            FixColumns(
                np.array([fix.device for fix in fixes], np.int32),
                DEVICE_IDS,
                np.array([fix.sample_time for fix in fixes], np.int64),
                np.zeros(len(fixes)),
                np.zeros(len(fixes)),
                np.array([fix.accuracy for fix in fixes], np.float64),
                altitudes,
                properties,
            ),
            Containment(columns[:, 0], columns[:, 1].astype(np.int32)),
            self.state,
        )
        self.state.apply(evaluation)
        rows = zip(
            evaluation.position.tolist(),
            (evaluation.kind == ENTER_KIND).tolist(),
            evaluation.geofence.tolist(),
            strict=True,
        )
        return [
            Crossing(fixes[number].device, fixes[number].sample_time, *change) for number, *change in rows
        ]

    def inside(self) -> list[list[int]]:
        return [self.state.inside(slot) for slot in range(len(DEVICE_IDS))]


fixes = st.builds(
    Fix,
    st.integers(0, len(DEVICE_IDS) - 1),
    st.integers(-50, 50),
    st.frozensets(st.integers(1, FENCES)),
    st.sampled_from([NAN, 99.0, 100.0, 150.0, 200.0, math.nextafter(200, 300)]),
    st.sampled_from([NAN, 0.0, 10.0, math.nextafter(10, 20), 30.0, 1e9]),
    st.sampled_from(REPORTED),
)
streams = st.lists(fixes, max_size=25)


@st.composite
def asked_conditions(draw: st.DrawFn) -> Conditions:
    low, high = sorted(draw(st.tuples(*[st.sampled_from([100.0, 150.0, 200.0])] * 2)))
    return Conditions(
        draw(st.sampled_from([None, low])),
        draw(st.sampled_from([None, high])),
        draw(st.sampled_from([None, *METRES])),
        draw(st.none() | st.lists(st.sampled_from(["4b1*", "*1?", "?", "4B17", "*"]), max_size=2).map(tuple)),
        device_properties=draw(st.sampled_from([None, None, *ASKED])),
        schedule=draw(st.sampled_from([None, None, WEDNESDAY, THURSDAY])),
    )


fence_conditions = st.dictionaries(st.integers(1, FENCES), asked_conditions())


@given(
    batches=st.lists(st.tuples(fence_conditions, st.frozensets(st.integers(1, FENCES)), streams), max_size=4),
    unknown_inside=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_crossings_and_state_equal_those_of_one_fix_after_the_other_while_fences_change(
    batches: list[tuple[dict[int, Conditions], frozenset[int], list[Fix]]], unknown_inside: bool
) -> None:
    kernel = Kernel(unknown_altitude_inside=unknown_inside)
    reference = Reference(unknown_altitude_inside=unknown_inside)
    for put, gone, batch in batches:
        kernel.conditions.discard(np.array(sorted(gone), np.int32))
        kernel.state.discard_geofences(np.array(sorted(gone), np.int32))
        reference.conditions = {key: each for key, each in reference.conditions.items() if key not in gone}
        reference.inside = {device: inside - gone for device, inside in reference.inside.items()}
        kernel.put(put)
        reference.conditions |= put
        assert kernel.crossings(batch) == reference.crossings(batch)
        assert kernel.inside() == [
            sorted(reference.inside.get(device, ())) for device in range(len(DEVICE_IDS))
        ]


@given(stream=streams, put=fence_conditions, places=st.lists(st.integers(0, 40), max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_split_of_a_stream_into_batches_gives_the_same_crossings(
    stream: list[Fix], put: dict[int, Conditions], places: list[int]
) -> None:
    stream = sorted(stream, key=lambda fix: fix.sample_time)
    whole, parts = Kernel(), Kernel()
    whole.put(put)
    parts.put(put)
    cuts = sorted(place % (len(stream) + 1) for place in places)
    batches = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert sorted(each for batch in batches for each in parts.crossings(batch)) == sorted(
        whole.crossings(stream)
    )
    assert parts.inside() == whole.inside()


@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=6), limit=st.sampled_from(METRES)
)
@settings(max_examples=25, deadline=None)
def test_a_state_is_carried_over_poor_fixes_however_many_there_are(
    runs: list[tuple[bool, int]], limit: float
) -> None:
    kernel, reference = Kernel(), Reference()
    reference.conditions = {1: Conditions(max_accuracy=limit), 2: Conditions(max_accuracy=20)}
    kernel.put(reference.conditions)
    poor = [number % 2 == 0 for number, (_, count) in enumerate(runs) for _ in range(count)]
    within = [inside for inside, count in runs for _ in range(count)]
    batch = [
        Fix(0, time, frozenset({1, 2} if inside else {3}), accuracy=25 + limit if bad else 0.0)
        for time, (bad, inside) in enumerate(zip(poor, within, strict=True))
    ]
    assert kernel.crossings(batch) == reference.crossings(batch)


def test_both_bounds_of_a_band_are_inside_and_either_may_be_absent() -> None:
    kernel = Kernel()
    kernel.put({1: Conditions(min_altitude=100, max_altitude=200), 2: Conditions(max_altitude=200)})
    heights = (99.0, 100.0, 200.0, math.nextafter(200, 300), NAN)
    batch = [Fix(0, time, frozenset({1, 2}), height) for time, height in enumerate(heights)]
    assert kernel.crossings(batch) == [
        Crossing(0, 0, True, 2),
        Crossing(0, 1, True, 1),
        Crossing(0, 3, False, 1),
        Crossing(0, 3, False, 2),
    ]


@pytest.mark.parametrize("inside", [False, True])
def test_a_fix_without_altitude_is_inside_a_volume_only_if_so_chosen(inside: bool) -> None:
    kernel = Kernel(unknown_altitude_inside=inside)
    kernel.put({1: Conditions(min_altitude=100)})
    assert kernel.crossings([Fix(0, 0, frozenset({1}))]) == [Crossing(0, 0, True, 1)] * inside


def test_a_fix_without_altitude_is_inside_no_volume_where_nothing_is_chosen() -> None:
    kernel = Kernel()
    kernel.conditions = FenceConditions()
    kernel.put({1: Conditions(min_altitude=100)})
    assert kernel.crossings([Fix(0, 0, frozenset({1, 2}))]) == [Crossing(0, 0, True, 2)]


def test_a_poor_fix_neither_enters_nor_leaves_and_its_time_still_passes() -> None:
    kernel = Kernel()
    kernel.put({1: Conditions(max_accuracy=30)})
    batch = [
        Fix(0, 0, frozenset({1, 2}), accuracy=31),
        Fix(0, 1, frozenset({1, 2}), accuracy=30),
        Fix(0, 2, frozenset(), accuracy=31),
    ]
    assert kernel.crossings(batch) == [
        Crossing(0, 0, True, 2),
        Crossing(0, 1, True, 1),
        Crossing(0, 2, False, 2),
    ]
    assert kernel.inside()[0] == [1]
    assert kernel.crossings([Fix(0, 2, frozenset()), Fix(0, 3, frozenset())]) == [Crossing(0, 3, False, 1)]


def test_altitudes_are_asked_only_for_fixes_in_the_area_of_a_volume() -> None:
    kernel = Kernel()
    kernel.put({1: Conditions(min_altitude=100), 2: Conditions(devices=("*",))})
    kernel.crossings([Fix(0, 0, frozenset({2, 3})), Fix(0, 1, frozenset({1, 3})), Fix(0, 2, frozenset())])
    assert kernel.asked == {1}


def test_properties_are_asked_only_for_fixes_in_the_area_of_a_geofence_that_asks_for_them() -> None:
    kernel = Kernel()
    kernel.put({1: Conditions(device_properties=ASKED[0], max_altitude=150), 2: Conditions(max_altitude=150)})
    fix = Fix(0, 0, frozenset({1}), 100.0, properties='{"a":"x"}')
    batch = [fix, Fix(0, 1, frozenset({2}), 100.0), Fix(0, 2, frozenset({1}), 200.0), Fix(0, 3, frozenset())]
    assert kernel.crossings(batch) == [
        Crossing(0, 0, True, 1),
        Crossing(0, 1, False, 1),
        Crossing(0, 1, True, 2),
        Crossing(0, 2, False, 2),
    ]
    assert kernel.asked_for_properties == {0}


def test_a_schedule_that_closes_lets_devices_go_at_their_next_fix() -> None:
    kernel = Kernel()
    kernel.put({1: Conditions(schedule=WEDNESDAY), 2: Conditions(schedule=THURSDAY)})
    batch = [Fix(0, time, frozenset({1, 2})) for time in (-2, -1, 0, 1)]
    assert kernel.crossings(batch) == [
        Crossing(0, -2, True, 1),
        Crossing(0, 0, False, 1),
        Crossing(0, 0, True, 2),
    ]


def test_a_fence_put_again_without_conditions_has_none() -> None:
    conditions = FenceConditions()
    conditions.put({1: fence(Conditions(min_altitude=1)), 2: fence(Conditions(devices=("a",)))})
    conditions.put({1: fence(UNCONDITIONAL)})
    assert len(conditions) == 1
    conditions.discard(np.array([2, 7], np.int32))
    assert len(conditions) == 0
