"""What happens between fixes is what is found for one device and one geofence at a time."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.conditions.rows import ConditionRows
from geofence.earth.ellipsoid import WGS84
from geofence.evaluation.between_fixes import BetweenFixes
from geofence.evaluation.evaluator import evaluate
from geofence.evaluation.watched import Joining, Watched
from geofence.events import ENTER_KIND
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from tests.geofence.evaluation.one_by_one import Change, Fix, OneByOne

pytestmark = pytest.mark.usefixtures("kernel")

DEVICES = 2
MINUTE = 60_000
SHAPES: list[tuple[shapely.Geometry, float | None]] = [
    (shapely.box(0, 0, 2, 2), None),
    (shapely.box(1, 1, 3, 3).difference(shapely.box(1.5, 1.5, 2.5, 2.5)), None),
    (shapely.box(-2, 0, 1, 1), None),
    (Point(1, 1), 80_000.0),
    (Point(-1, 0.5), 120_000.0),
]
THURSDAY = 3  # 1970-01-01
OPEN = [
    Timetable("UTC", WeeklyHours(((THURSDAY, 2, 4), (THURSDAY, 6, 7)))),
    Timetable("UTC", WeeklyHours(((THURSDAY, 0, 8), (THURSDAY, 12, 20)))),
]

altitudes = st.sampled_from([None, 100.0, 200.0, 300.0])
conditions = st.builds(
    Conditions,
    min_altitude=st.sampled_from([None, 100.0, 150.0]),
    max_altitude=st.sampled_from([None, 200.0, 250.0]),
    max_accuracy=st.sampled_from([None, None, None, 10.0, 0.0]),
    devices=st.sampled_from([None, None, None, ("device-0",)]),
    device_properties=st.sampled_from([None, None, None, (("callsign", ("A*",)),)]),
    schedule=st.sampled_from([None, None, *OPEN]),
)


@st.composite
def geofence_of(draw: st.DrawFn, asked: st.SearchStrategy[Conditions]) -> Geofence:
    geometry, radius = draw(st.sampled_from(SHAPES))
    return Geofence("fence", geometry, radius, {}, draw(asked))


coordinates = st.integers(-4, 6).map(lambda number: number / 2)
fixes = st.builds(
    Fix,
    st.sampled_from([0, 0, 0, 1]),
    st.integers(1, 20).map(lambda number: number * MINUTE // 2),
    st.tuples(coordinates, st.sampled_from([0.5, 0.5, 1.0, 1.0]) | coordinates),
    altitude=st.sampled_from([50.0, 50.0, 100.0, 175.0, 200.0, 400.0, 400.0, math.nan]),
    accuracy=st.sampled_from([math.nan, 0.0, 5.0, 50.0]),
    callsign=st.sampled_from(["A1", "A1", "A1", "B2", ""]),
)
streams = st.lists(fixes, min_size=4, max_size=16, unique_by=lambda fix: (fix.device, fix.sample_time)).map(
    lambda stream: sorted(stream, key=lambda fix: fix.sample_time)
)
joinings = st.sampled_from([Joining(8 * MINUTE, 20_000.0), Joining(8 * MINUTE, 20_000.0), Joining(MINUTE)])


class Kernel:
    """The evaluator, with what it remembers."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self.state = InsideState(DEVICES)
        self._unknown = unknown_altitude_inside

    def changes(
        self, geofences: Mapping[int, Geofence], joining: Joining, stream: Sequence[Fix]
    ) -> list[Change]:
        evaluation = self.evaluation(geofences, joining, stream)
        self.state.apply(evaluation)
        return sorted(
            Change(device, stream[number].sample_time, share, kind == ENTER_KIND, geofence, time, between)
            for device, number, share, kind, geofence, time, between in zip(
                evaluation.device.tolist(),
                evaluation.position.tolist(),
                evaluation.share.tolist(),
                evaluation.kind.tolist(),
                evaluation.geofence.tolist(),
                evaluation.time.tolist(),
                evaluation.interpolated.tolist(),
                strict=True,
            )
        )

    def evaluation(
        self, geofences: Mapping[int, Geofence], joining: Joining, stream: Sequence[Fix]
    ) -> Evaluation:
        rows = ConditionRows(unknown_altitude_inside=self._unknown)
        rows.put({key: geofence.conditions for key, geofence in geofences.items()})
        index, columns = GeofenceIndex(geofences), columns_of(stream)
        containment = index.containing(columns.longitude, columns.latitude)
        between = BetweenFixes([Watched(index, joining)], rows, columns, containment, self.state)
        met, poor = rows.met(columns, containment), rows.poor(columns.accuracy)
        return evaluate(columns, met, self.state, poor, between)


def columns_of(stream: Sequence[Fix]) -> FixColumns:
    positions = np.array([fix.position for fix in stream], np.float64).reshape(-1, 2)
    return FixColumns(
        np.array([fix.device for fix in stream], np.int32),
        [f"device-{number}" for number in range(DEVICES)],
        np.array([fix.sample_time for fix in stream], np.int64),
        *np.ascontiguousarray(positions.T),
        np.array([fix.accuracy for fix in stream], np.float64),
        altitudes=lambda numbers: np.array([stream[at].altitude for at in numbers.tolist()], np.float64),
        properties=lambda numbers: [
            json.dumps({"callsign": stream[at].callsign}) if stream[at].callsign else ""
            for at in numbers.tolist()
        ],
    )


def split(stream: list[Fix], places: list[int]) -> list[list[Fix]]:
    cuts = sorted(place % (len(stream) + 1) for place in places)
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def fences(asked: st.SearchStrategy[Conditions]) -> st.SearchStrategy[dict[int, Geofence]]:
    return st.lists(geofence_of(asked), min_size=1, max_size=4).map(lambda some: dict(enumerate(some, 1)))


@given(
    before=fences(conditions | st.just(UNCONDITIONAL)),
    after=fences(conditions | st.just(UNCONDITIONAL)),
    joining=joinings,
    batches=st.lists(streams, min_size=1, max_size=2),
    unknown_altitude_inside=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_changes_are_those_found_for_one_device_and_one_geofence_at_a_time(
    before: dict[int, Geofence],
    after: dict[int, Geofence],
    joining: Joining,
    batches: list[list[Fix]],
    unknown_altitude_inside: bool,
) -> None:
    kernel = Kernel(unknown_altitude_inside=unknown_altitude_inside)
    reference = OneByOne(unknown_altitude_inside)
    for number, (geofences, stream) in enumerate(zip([before, {**before, **after}], batches, strict=False)):
        later = [fix._replace(sample_time=fix.sample_time + 10 * number * MINUTE) for fix in stream]
        found, expected = (each.changes(geofences, joining, later) for each in (kernel, reference))
        assert [change._replace(share=0.0) for change in found] == [
            change._replace(share=0.0) for change in expected
        ]
        assert np.allclose([change.share for change in found], [change.share for change in expected])


@given(
    geofences=fences(conditions | st.just(UNCONDITIONAL)),
    joining=joinings,
    stream=streams,
    places=st.lists(st.integers(0, 20), max_size=4),
)
@settings(max_examples=25, deadline=None)
def test_any_split_of_a_stream_into_batches_gives_the_same_changes(
    geofences: dict[int, Geofence], joining: Joining, stream: list[Fix], places: list[int]
) -> None:
    whole, parts = Kernel(), Kernel()
    at_once = whole.changes(geofences, joining, stream)
    bit_by_bit = [
        change for batch in split(stream, places) for change in parts.changes(geofences, joining, batch)
    ]
    assert sorted(bit_by_bit) == at_once
    assert [whole.state.inside(slot) for slot in range(DEVICES)] == [
        parts.state.inside(slot) for slot in range(DEVICES)
    ]


WIDE = Joining(max_gap=10 * MINUTE, max_speed=5_000.0)
BOX = Geofence("box", shapely.box(0, 0, 2, 2), None, {})
FIJI = MultiPolygon([shapely.box(179, -20, 180, -10), shapely.box(-180, -20, -179, -10)])


def asking(geofence: Geofence, **asked: object) -> Geofence:
    return replace(geofence, conditions=replace(UNCONDITIONAL, **asked))


def told(geofence: Geofence, stream: list[Fix], joining: Joining = WIDE) -> list[tuple[int, bool, bool]]:
    """When, whether in, and whether between fixes."""
    changes = Kernel().changes({1: geofence}, joining, stream)
    return [(change.time, change.entering, change.interpolated) for change in changes]


def test_geofence_between_two_fixes_is_entered_and_left_on_the_way() -> None:
    stream = [Fix(0, 0, (-1.0, 1.0)), Fix(0, 4 * MINUTE, (3.0, 1.0))]
    assert told(BOX, stream) == [(MINUTE, True, True), (3 * MINUTE, False, True)]


def test_change_between_two_fixes_has_the_time_and_the_place_of_the_crossing() -> None:
    stream = [Fix(0, 0, (-1.0, 1.0)), Fix(0, 3 * MINUTE, (1.0, 1.0 + 1e-7))]
    evaluation = Kernel().evaluation({1: BOX}, WIDE, stream)
    assert (evaluation.time.tolist(), evaluation.share.tolist()) == ([1.5 * MINUTE], [0.5])
    assert (evaluation.longitude.tolist(), evaluation.latitude.tolist()) == ([0.0], [1.00000005])
    assert evaluation.position.tolist() == [1]
    kinds = [column.dtype for column in (evaluation.time, evaluation.geofence, evaluation.kind)]
    assert kinds == [np.int64, np.int32, np.int8]


def test_change_is_never_at_the_time_of_the_former_fix_and_at_the_latter_at_the_latest() -> None:
    assert told(BOX, [Fix(0, 0, (2.0, 1.0)), Fix(0, MINUTE, (3.0, 1.0))]) == [
        (0, True, False),
        (1, False, True),
    ]
    assert told(BOX, [Fix(0, 0, (3.0, 1.0)), Fix(0, MINUTE, (2.0, 1.0))]) == [(MINUTE, True, True)]


def test_change_over_the_antimeridian_has_a_longitude_within_bounds() -> None:
    stream = [Fix(0, 0, (177.5, -15.0)), Fix(0, 5 * MINUTE, (-177.5, -15.0))]
    evaluation = Kernel().evaluation({1: replace(BOX, geometry=FIJI)}, WIDE, stream)
    assert evaluation.longitude.tolist() == [179.0, -179.0]
    assert evaluation.time.tolist() == [1.5 * MINUTE, 3.5 * MINUTE]


def test_fixes_too_far_apart_in_time_or_space_are_not_joined() -> None:
    stream = [Fix(0, 0, (-1.0, 1.0)), Fix(0, 4 * MINUTE, (3.0, 1.0))]
    metres = WGS84.inv(-1, 1, 3, 1)[2]
    assert told(BOX, stream, Joining(4 * MINUTE - 1, 5_000.0)) == []
    assert len(told(BOX, stream, Joining(4 * MINUTE, 5_000.0))) == 2
    assert told(BOX, stream, Joining(4 * MINUTE, metres / 240 * 0.999999)) == []
    assert len(told(BOX, stream, Joining(4 * MINUTE, metres / 240 * 1.000001))) == 2


def test_first_fix_of_a_device_is_the_end_of_no_path() -> None:
    assert told(BOX, [Fix(0, 0, (1.0, 1.0))]) == [(0, True, False)]


def test_geofence_put_around_a_device_is_entered_at_its_next_fix() -> None:
    kernel = Kernel()
    kernel.changes({}, WIDE, [Fix(0, 0, (0.5, 1.0))])
    assert kernel.changes({1: BOX}, WIDE, [Fix(0, MINUTE, (1.0, 1.0))]) == [
        Change(0, MINUTE, 1.0, entering=True, geofence=1, time=MINUTE, interpolated=False)
    ]


def test_geofence_put_around_a_device_that_leaves_before_its_next_fix_is_not_told_of() -> None:
    kernel = Kernel()
    kernel.changes({}, WIDE, [Fix(0, 0, (0.5, 1.0))])
    assert kernel.changes({1: BOX}, WIDE, [Fix(0, MINUTE, (3.0, 1.0))]) == []


def test_geofence_that_no_longer_holds_the_device_is_left_at_its_next_fix() -> None:
    kernel = Kernel()
    kernel.changes({1: BOX}, WIDE, [Fix(0, 0, (0.5, 1.0))])
    moved = replace(BOX, geometry=shapely.box(0.75, 0, 0.8, 2))
    (change,) = kernel.changes({1: moved}, WIDE, [Fix(0, MINUTE, (1.0, 1.0))])
    assert (change.time, change.entering, change.interpolated) == (MINUTE, False, False)


def test_climb_through_a_band_enters_and_leaves_it_on_the_way_even_straight_up() -> None:
    banded = asking(BOX, min_altitude=100.0, max_altitude=200.0)
    stream = [Fix(0, 0, (1.0, 1.0), altitude=0.0), Fix(0, 3 * MINUTE, (1.0, 1.0), altitude=300.0)]
    assert told(banded, stream) == [(MINUTE, True, True), (2 * MINUTE, False, True)]


@pytest.mark.filterwarnings("error")
def test_climb_from_the_lowest_double_to_the_highest_is_even_too() -> None:
    banded = asking(BOX, min_altitude=-8.5e307, max_altitude=8.5e307)
    stream = [Fix(0, 0, (1.0, 1.0), altitude=-1.7e308), Fix(0, 2 * MINUTE, (1.0, 1.0), altitude=1.7e308)]
    assert told(banded, stream) == [(MINUTE / 2, True, True), (MINUTE * 3 / 2, False, True)]


def test_band_is_left_at_once_by_who_leaves_its_border_and_entered_at_the_end_by_who_comes_to_it() -> None:
    banded = asking(BOX, min_altitude=100.0, max_altitude=200.0)
    for inner, outer in ((200.0, 300.0), (100.0, 0.0)):
        out_of = [Fix(0, 0, (1.0, 1.0), altitude=inner), Fix(0, MINUTE, (1.0, 1.0), altitude=outer)]
        into = [Fix(0, 0, (1.0, 1.0), altitude=outer), Fix(0, MINUTE, (1.0, 1.0), altitude=inner)]
        assert told(banded, out_of) == [(0, True, False), (1, False, True)]
        assert told(banded, into) == [(MINUTE, True, True)]


def test_path_of_unknown_altitude_goes_through_a_band_only_if_so_chosen() -> None:
    banded = asking(BOX, min_altitude=100.0)
    stream = [Fix(0, 0, (-1.0, 1.0)), Fix(0, 4 * MINUTE, (3.0, 1.0))]
    for chosen, count in ((False, 0), (True, 2)):
        kernel = Kernel(unknown_altitude_inside=chosen)
        assert len(kernel.changes({1: banded}, WIDE, stream)) == count


def test_band_is_met_where_the_area_is_too() -> None:
    banded = asking(BOX, min_altitude=100.0)
    stream = [Fix(0, 0, (-2.0, 1.0), altitude=0.0), Fix(0, 4 * MINUTE, (2.0, 1.0), altitude=133.3)]
    (change,) = told(banded, stream)
    assert change == (math.ceil(4 * MINUTE * 100 / 133.3), True, True)


def test_path_that_begins_at_an_unknown_altitude_does_not_count_where_there_is_a_band() -> None:
    banded = asking(BOX, min_altitude=100.0)
    stream = [Fix(0, 0, (-2.0, 1.0)), Fix(0, 4 * MINUTE, (2.0, 1.0), altitude=150.0)]
    assert told(banded, stream) == [(4 * MINUTE, True, False)]


def test_window_of_a_schedule_is_entered_and_left_by_who_stays_in_the_area() -> None:
    scheduled = asking(BOX, schedule=Timetable("UTC", WeeklyHours(((THURSDAY, 1, 3),))))
    stream = [Fix(0, 1, (1.0, 1.0)), Fix(0, 4 * MINUTE, (1.0, 1.0))]
    assert told(scheduled, stream) == [(MINUTE, True, True), (3 * MINUTE, False, True)]


def test_path_to_or_from_a_poor_fix_does_not_count() -> None:
    accurate = asking(BOX, max_accuracy=10.0)
    stream = [
        Fix(0, 0, (-1.0, 1.0), accuracy=5.0),
        Fix(0, MINUTE, (1.0, 1.0), accuracy=50.0),
        Fix(0, 2 * MINUTE, (1.0, 1.0), accuracy=5.0),
    ]
    assert told(accurate, stream) == [(2 * MINUTE, True, False)]
    assert told(accurate, [fix._replace(accuracy=55 - fix.accuracy) for fix in stream[:2]]) == [
        (MINUTE, True, False)
    ]
    assert told(BOX, stream) == [(MINUTE // 2, True, True)]


def test_device_is_judged_at_the_end_of_the_path() -> None:
    filtered = asking(BOX, device_properties=(("callsign", ("A*",)),))
    into, out_of = [(-1.0, 1.0), (1.0, 1.0)], [(1.0, 1.0), (3.0, 1.0)]
    for places, callsigns, expected in (
        (into, "BA", [(MINUTE, True, True)]),
        (into, "AB", []),
        (out_of, "AB", [(0, True, False), (2 * MINUTE, False, False)]),
        (out_of, "BA", []),
    ):
        stream = [
            Fix(0, 2 * MINUTE * number, place, callsign=callsign)
            for number, (place, callsign) in enumerate(zip(places, callsigns, strict=True))
        ]
        assert told(filtered, stream) == expected


def test_visits_on_one_path_of_a_millisecond_each_are_counted() -> None:
    comb = shapely.union_all([shapely.box(0, at, 1, at + 0.25) for at in (0.0, 0.5, 1.0, 1.5)])
    stream = [Fix(0, 0, (0.5, -0.25)), Fix(0, 1, (0.5, 2.0))]
    evaluation = Kernel().evaluation({1: replace(BOX, geometry=comb)}, Joining(MINUTE, 1e9), stream)
    assert evaluation.ordinal.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert evaluation.kind.tolist() == [1, 0] * 4
    assert set(evaluation.time.tolist()) == {1}
