"""Bands, poor fixes, schedules, filters, paths and visits all at once, against one pair after the other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.conditions.conditions import Conditions
from geofence.containment import Containment
from geofence.evaluation.fence_conditions import FenceConditions
from geofence.evaluation.watched import Joining, Watched
from geofence.events import EVENT_TYPES, EventType
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.state.inside_state import InsideState
from tests.geofence.evaluation import one_by_one
from tests.geofence.evaluation.one_by_one import Fix, OneByOne
from tests.geofence.evaluation.test_between_fixes import (
    DEVICES,
    MINUTE,
    OPEN,
    SHAPES,
    columns_of,
    split,
    streams,
)
from tests.geofence.visits.reference import Crossed, State, Visit, state_of
from tests.geofence.visits.test_visits import loaded_again

pytestmark = pytest.mark.usefixtures("kernel")

FENCES = 4


class Event(NamedTuple):
    """What is told, in the order in which it is told at one time."""

    device: int
    time: int
    share: float
    kind: int
    geofence: int
    type: EventType
    fix_time: int
    interpolated: bool
    ordinal: int = 0


class Reference:
    """One fix after the other, one geofence after the other."""

    def __init__(self, *, unknown_altitude_inside: bool) -> None:
        self.at_fixes = OneByOne(unknown_altitude_inside)
        self.geofences: dict[int, Geofence] = {}
        self.last: dict[int, Fix] = {}
        self.visits: dict[tuple[int, int], Visit] = {}

    def events(self, joining: Joining | None, fixes: Sequence[Fix]) -> list[Event]:
        found: list[Event] = []
        for fix in fixes:
            of_fix = [each for key in sorted(self.geofences) for each in self.of_pair(joining, fix, key)]
            seen: dict[tuple[object, ...], int] = {}
            for event in sorted(of_fix):
                same = (event.type, event.geofence, event.time)
                found.append(event._replace(ordinal=seen.get(same, 0)))
                seen[same] = seen.get(same, 0) + 1
            self.last[fix.device] = fix
        return found

    def of_pair(self, joining: Joining | None, fix: Fix, key: int) -> list[Event]:
        geofence = self.geofences[key]
        if not one_by_one.counts(fix, geofence):
            return []
        visit = self.visits.setdefault((fix.device, key), Visit())
        within = self.at_fixes.inside_at(fix, geofence)
        told = visit.events(
            key,
            geofence.conditions,
            fix.sample_time,
            within,
            self.crossed(joining, fix, geofence, visit.within, within),
            lambda: metres_from(geofence, fix),
        )
        return [
            Event(
                fix.device,
                each.time,
                each.share,
                each.kind,
                key,
                each.type,
                fix.sample_time,
                each.interpolated,
            )
            for each in told
        ]

    def crossed(
        self, joining: Joining | None, fix: Fix, geofence: Geofence, was: bool, within: bool
    ) -> list[Crossed]:
        before = self.last.get(fix.device)
        if before is None or joining is None or not one_by_one.joined(before, fix, joining):
            return []
        if not one_by_one.counts(before, geofence):
            return []
        crossed = self.at_fixes.crossed(before, fix, geofence)
        leads = crossed and crossed[0][1] == (not was) and (len(crossed) % 2 == 1) == (was != within)
        return [
            Crossed(share, one_by_one.time_at(share, before, fix)) for share, _ in (crossed if leads else ())
        ]

    def discard(self, gone: frozenset[int]) -> None:
        self.geofences = {key: each for key, each in self.geofences.items() if key not in gone}
        self.visits = {pair: visit for pair, visit in self.visits.items() if pair[1] not in gone}

    def state(self) -> State:
        return state_of(self.visits)


def metres_from(geofence: Geofence, fix: Fix) -> float:
    """By itself, which has tests of its own."""
    longitude, latitude = fix.position
    found = GeofenceIndex({1: geofence}).distances(
        np.array([1], np.int32), np.array([longitude]), np.array([latitude]), np.array([np.inf])
    )
    return float(found[0])


class Kernel:
    """The same at once. Geofences with an odd key are in one index, those with an even key in another."""

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self.conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
        self.indexes = (GeofenceIndex({}), GeofenceIndex({}))
        self.inside = InsideState(DEVICES, remembering_fixes=True)

    def put(self, geofences: Mapping[int, Geofence]) -> None:
        self.conditions.put(geofences)
        for key, geofence in geofences.items():
            self.indexes[key % 2].put(key, geofence)

    def discard(self, gone: frozenset[int]) -> None:
        keys = np.array(sorted(gone), np.int32)
        self.conditions.discard(keys)
        self.inside.discard_geofences(keys)
        for key in gone:
            self.indexes[key % 2].discard(key)

    def events(self, joining: Joining | None, fixes: Sequence[Fix]) -> list[Event]:
        columns = columns_of(fixes)
        containment = Containment.joined(
            [index.containing(columns.longitude, columns.latitude) for index in self.indexes]
        )
        watched = [Watched(index, joining) for index in self.indexes]
        found = self.conditions.evaluate(columns, containment, self.inside, watched)
        self.inside.apply(found)
        rows = zip(
            found.device.tolist(),
            found.time.tolist(),
            found.share.tolist(),
            found.kind.tolist(),
            found.geofence.tolist(),
            [EVENT_TYPES[kind] for kind in found.kind.tolist()],
            columns.sample_time[found.position].tolist(),
            found.interpolated.tolist(),
            found.ordinal.tolist(),
            strict=True,
        )
        return [Event(*row) for row in rows]

    def state(self) -> State:
        inside = [(device, key) for device in range(DEVICES) for key in self.inside.inside(device)]
        columns = (column.tolist() for column in self.inside.visits.all.columns())
        return inside, list(zip(*columns, strict=True))


seconds = st.sampled_from([None, None, 0.5, 30.0, 45.0, 120.0])
asked = st.builds(
    Conditions,
    min_altitude=st.sampled_from([None, None, 100.0, 150.0]),
    max_altitude=st.sampled_from([None, None, 200.0, 250.0]),
    max_accuracy=st.sampled_from([None, None, None, 10.0, 0.0]),
    devices=st.sampled_from([None, None, None, ("device-0",)]),
    device_properties=st.sampled_from([None, None, None, (("callsign", ("A*",)),)]),
    schedule=st.sampled_from([None, None, *OPEN]),
    dwell_seconds=seconds,
    exit_after_seconds=seconds,
    exit_after_metres=st.sampled_from([None, None, 1.0, 60_000.0]),
)


@st.composite
def geofence_of(draw: st.DrawFn) -> Geofence:
    geometry, radius = draw(st.sampled_from(SHAPES))
    return Geofence("fence", geometry, radius, {}, draw(asked))


puts = st.dictionaries(st.integers(1, FENCES), geofence_of())
joinings = st.sampled_from(
    [None, Joining(8 * MINUTE, 20_000.0), Joining(8 * MINUTE, 20_000.0), Joining(MINUTE)]
)


def in_time(event: Event) -> Event:
    """Without the share, which rounding may have moved by an ulp."""
    return event._replace(share=0.0)


@given(
    batches=st.lists(
        st.tuples(puts, st.frozensets(st.integers(1, FENCES), max_size=1), joinings, streams),
        min_size=1,
        max_size=3,
    ),
    unknown_altitude_inside=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_events_and_state_are_those_of_one_pair_after_the_other_while_everything_changes(
    batches: list[tuple[dict[int, Geofence], frozenset[int], Joining | None, list[Fix]]],
    unknown_altitude_inside: bool,
) -> None:
    kernel = Kernel(unknown_altitude_inside=unknown_altitude_inside)
    reference = Reference(unknown_altitude_inside=unknown_altitude_inside)
    for number, (put, gone, joining, stream) in enumerate(batches):
        kernel.discard(gone)
        reference.discard(gone)
        kernel.put(put)
        reference.geofences |= put
        later = [fix._replace(sample_time=fix.sample_time + 10 * number * MINUTE) for fix in stream]
        found, expected = kernel.events(joining, later), reference.events(joining, later)
        assert found == sorted(found)
        assert sorted(map(in_time, found)) == sorted(map(in_time, expected))
        assert np.allclose(shares(found), shares(expected))
        assert kernel.state() == reference.state()


def shares(events: Sequence[Event]) -> list[float]:
    return [event.share for event in sorted(events, key=in_time)]


@given(
    put=puts,
    joining=joinings,
    stream=streams,
    places=st.lists(st.integers(0, 20), max_size=4),
    stored=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_any_split_of_a_stream_into_batches_gives_the_same_events_and_state(
    put: dict[int, Geofence], joining: Joining | None, stream: list[Fix], places: list[int], stored: bool
) -> None:
    whole, parts = Kernel(), Kernel()
    whole.put(put)
    parts.put(put)
    bit_by_bit: list[Event] = []
    for batch in split(stream, places):
        bit_by_bit += parts.events(joining, batch)
        if stored:
            parts.inside = loaded_again(parts.inside)
    assert sorted(bit_by_bit) == whole.events(joining, stream)
    assert parts.state() == whole.state()
