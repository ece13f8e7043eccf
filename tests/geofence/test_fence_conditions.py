"""Laws of evaluation under conditions, against one fix after the other."""

import fnmatch
import gc
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import Point

from geofence.conditions import REMEMBERED, UNCONDITIONAL, Conditions, DeviceFilter
from geofence.fence_conditions import FenceConditions, FixColumns
from geofence.geofence import Geofence
from geofence.index import Containment
from geofence.state import InsideState
from tests.geofence.reference import Crossing

pytestmark = pytest.mark.usefixtures("kernel")

DEVICE_IDS = ["4b17", "4B17", "4b18x", "-"]
FENCES = 5
AREA = Point(0, 0)
METRES = (0.0, 10.0, 30.0)
NAN = math.nan


class Fix(NamedTuple):
    """A fix of a device, and the keys of the geofences in whose area it is."""

    device: int
    sample_time: int
    within: frozenset[int]
    altitude: float = NAN
    accuracy: float = NAN


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
        return key in fix.within and self.within_band(fix.altitude, asked) and self.is_taken(fix, asked)

    def within_band(self, altitude: float, asked: Conditions) -> bool:
        low, high = asked.min_altitude, asked.max_altitude
        if math.isnan(altitude):
            return self.unknown_altitude_inside or (low is None and high is None)
        return (low is None or low <= altitude) and (high is None or altitude <= high)

    def is_taken(self, fix: Fix, asked: Conditions) -> bool:
        device_id = DEVICE_IDS[fix.device]
        return asked.devices is None or any(fnmatch.fnmatchcase(device_id, each) for each in asked.devices)


class Kernel:
    """The same through the evaluator."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self.conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self.state = InsideState(len(DEVICE_IDS))
        self.asked: set[int] = set()

    def put(self, conditions: Mapping[int, Conditions]) -> None:
        self.conditions.put({key: fence(each) for key, each in conditions.items()})

    def crossings(self, fixes: Sequence[Fix]) -> list[Crossing]:
        pairs = [(number, key) for number, fix in enumerate(fixes) for key in sorted(fix.within)]
        columns = np.array(pairs, np.int64).reshape(-1, 2)
        altitude: NDArray[np.float64] = np.array([fix.altitude for fix in fixes], np.float64)

        def altitudes(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
            self.asked.update(numbers.tolist())
            return altitude[numbers]

        evaluation = self.conditions.evaluate(
            FixColumns(
                np.array([fix.device for fix in fixes], np.int32),
                DEVICE_IDS,
                np.array([fix.sample_time for fix in fixes], np.int64),
                np.array([fix.accuracy for fix in fixes], np.float64),
                altitudes,
            ),
            Containment(columns[:, 0], columns[:, 1].astype(np.int32)),
            self.state,
        )
        self.state.apply(evaluation)
        rows = zip(
            evaluation.position.tolist(),
            evaluation.entering.tolist(),
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
    )


fence_conditions = st.dictionaries(st.integers(1, FENCES), asked_conditions())


@given(
    batches=st.lists(st.tuples(fence_conditions, st.frozensets(st.integers(1, FENCES)), streams), max_size=4),
    unknown_inside=st.booleans(),
)
@settings(max_examples=150, deadline=None)
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
@settings(max_examples=100, deadline=None)
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
@settings(max_examples=50, deadline=None)
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


def test_a_fence_put_again_without_conditions_has_none() -> None:
    conditions = FenceConditions()
    conditions.put({1: fence(Conditions(min_altitude=1)), 2: fence(Conditions(devices=("a",)))})
    conditions.put({1: fence(UNCONDITIONAL)})
    assert len(conditions) == 1
    conditions.discard(np.array([2, 7], np.int32))
    assert len(conditions) == 0


def test_patterns_are_those_of_a_shell_and_mind_case() -> None:
    takes = DeviceFilter(("4b1*", "?x", "a.c")).takes
    assert [takes(each) for each in ("4b1", "4b17", "4B17", "yx", "x", "yyx", "a.c", "abc", "a4b1")] == [
        True, True, False, True, False, False, True, False, False,
    ]  # fmt: skip
    assert not DeviceFilter(()).takes("x")


def test_patterns_with_many_stars_come_to_an_end() -> None:
    assert not DeviceFilter(["*a" * 50] * 10).takes("a" * 49 + "b" * 51)


def test_a_filter_remembers_no_more_than_it_may() -> None:
    device_filter = DeviceFilter(["*7"])
    answers = [device_filter.takes(str(number)) for number in range(REMEMBERED + 10)]
    assert sum(answers) == (REMEMBERED + 10) // 10
    assert len(device_filter._answers) == 10


def test_fences_with_the_same_patterns_share_one_filter_while_there_is_one() -> None:
    conditions = FenceConditions()
    conditions.put({key: fence(Conditions(devices=("a", "b"))) for key in (1, 2)})
    assert len(conditions._filters) == 1
    conditions.discard(np.array([1, 2], np.int32))
    gc.collect()
    assert len(conditions._filters) == 0
