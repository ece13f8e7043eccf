"""What happens between fixes is what is found for one device and one geofence at a time."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geofence.condition_rows import ConditionRows
from geofence.conditions import UNCONDITIONAL, Conditions
from geofence.evaluator import Evaluation, evaluate
from geofence.events import ENTER_KIND
from geofence.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.index import GeofenceIndex
from geofence.paths.between_fixes import BetweenFixes
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from geofence.state import InsideState
from geofence.watched import Joining, Watched
from tests.geofence.paths.one_by_one import Change, Fix, OneByOne

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
    max_accuracy=st.sampled_from([None, None, None, 10.0]),
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
    accuracy=st.sampled_from([math.nan, 5.0, 5.0, 50.0]),
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
@settings(max_examples=150, deadline=None)
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
@settings(max_examples=100, deadline=None)
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
