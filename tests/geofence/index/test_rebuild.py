"""The index is right while its bulk is built anew aside, whenever that ends, whatever changes meanwhile."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.areas.area import area_of
from geofence.cells.index import CellIndex
from geofence.cells.steps import go_on
from geofence.geofence import Geofence
from geofence.index.geofence_index import Build, Bulk, GeofenceIndex, Limits, bulk_of
from geofence.index.packed import PackedAreas
from tests.geofence.reference import containment_pairs
from tests.geofence.strategies import geofences, positions_near

pytestmark = pytest.mark.usefixtures("kernel")

EAGER = Limits(loose=1, changes=1, waited_for=0)
"""Each second change is packed and has the bulk built anew."""


class Held:
    """Builds when it is told to."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Build, Future[Bulk]]] = []
        self.begun = 0
        self.failing: Exception | None = None

    def __call__(self, build: Build) -> "Future[Bulk]":
        future: Future[Bulk] = Future()
        self._waiting.append((build, future))
        self.begun += 1
        return future

    def finish(self) -> None:
        for build, future in self._waiting:
            if self.failing is not None:
                future.set_exception(self.failing)
            else:
                future.set_result(build(go_on))
        self._waiting.clear()


def pairs(index: GeofenceIndex, positions: list[tuple[float, float]]) -> list[tuple[int, int]]:
    columns = np.array(positions, np.float64).reshape(-1, 2)
    found = index.containing(columns[:, 0], columns[:, 1])
    return list(zip(found.position.tolist(), found.geofence.tolist(), strict=True))


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_index_equals_brute_force_before_during_and_after_rebuilds(data: st.DataObject) -> None:
    fences = dict(enumerate(data.draw(st.lists(geofences, max_size=4)), 1))
    background = Held()
    index = GeofenceIndex(fences, background, EAGER)
    failure = MemoryError("too little")
    for _ in range(data.draw(st.integers(1, 8))):
        step = data.draw(st.sampled_from(["put", "put", "discard", "finish", "fail", "search", "search"]))
        key = data.draw(st.integers(1, 6))
        if step == "put":
            fences[key] = data.draw(geofences)
            index.put(key, fences[key])
        elif step == "discard":
            fences.pop(key, None)
            index.discard(key)
        elif step in ("finish", "fail"):
            background.failing = failure if step == "fail" else None
            background.finish()
        else:
            positions = data.draw(st.lists(positions_near(list(fences.values())), max_size=8))
            assert pairs(index, positions) == containment_pairs(fences, positions)
    positions = data.draw(st.lists(positions_near(list(fences.values())), max_size=8))
    assert pairs(index, positions) == containment_pairs(fences, positions)
    background.finish()
    assert pairs(index, positions) == containment_pairs(fences, positions)


def test_no_second_rebuild_begins_while_one_is_under_way() -> None:
    background = Held()
    index = GeofenceIndex({}, background, EAGER)
    for key in range(1, 20):
        index.put(key, box(key))
        assert pairs(index, [(key + 0.5, 0.5)]) == [(0, key)]
    assert background.begun == 1


def test_a_put_or_discard_during_a_rebuild_outlives_it() -> None:
    background = Held()
    index = GeofenceIndex({key: box(key) for key in range(1, 5)}, background, EAGER)
    index.discard(1)
    index.put(2, box(50))
    index.put(9, box(9))
    background.finish()
    assert pairs(index, [(1.5, 0.5), (2.5, 0.5), (50.5, 0.5), (9.5, 0.5), (3.5, 0.5)]) == [
        (2, 2),
        (3, 9),
        (4, 3),
    ]


@pytest.mark.parametrize("failure", [MemoryError("too little"), ValueError("odd")])
def test_after_a_failed_rebuild_the_old_bulk_serves_and_further_changes_lead_to_the_next(
    failure: Exception,
) -> None:
    background = Held()
    index = GeofenceIndex({1: box(1)}, background, EAGER)
    background.failing = failure
    background.finish()
    for _ in range(3):
        assert pairs(index, [(1.5, 0.5)]) == [(0, 1)]
    assert background.begun == 1
    assert index.problem == repr(failure)
    index.put(1, box(7))
    index.put(2, box(2))
    everywhere = [(1.5, 0.5), (2.5, 0.5), (7.5, 0.5)]
    assert pairs(index, everywhere) == [(1, 2), (2, 1)]
    assert background.begun == 2
    background.failing = None
    background.finish()
    assert pairs(index, everywhere) == [(1, 2), (2, 1)]
    assert index.problem is None
    assert isinstance(index.bulk, CellIndex)


def test_what_is_built_is_what_was_there_when_the_build_began() -> None:
    background = Held()
    index = GeofenceIndex({1: box(1)}, background, Limits(waited_for=0, in_cells=1))
    index.put(2, box(2))
    background.finish()
    assert pairs(index, [(1.5, 0.5), (2.5, 0.5)]) == [(0, 1), (1, 2)]
    assert isinstance(index.bulk, CellIndex)


def test_changes_that_led_to_a_failed_rebuild_alone_lead_to_no_other() -> None:
    background = Held()
    index = GeofenceIndex({}, background, EAGER)
    background.failing = MemoryError("too little")
    for begun in (1, 2, 3):
        index.put(2 * begun, box(0))
        index.put(2 * begun + 1, box(0))
        for _ in range(3):
            assert len(pairs(index, [(0.5, 0.5)])) == 2 * begun
            background.finish()
        assert background.begun == begun


def test_waiting_for_a_rebuild_that_fails_raises_nothing() -> None:
    background = Held()
    index = GeofenceIndex({1: box(1)}, background, EAGER)
    background.failing = MemoryError("too little")
    background.finish()
    index.settle()
    assert index.problem == "MemoryError('too little')"


def test_answers_are_right_while_a_thread_builds_the_cells_of_many_geofences() -> None:
    corners = {key: (key % 170, key // 170) for key in range(1, 5_001)}
    fences = {key: box(*corner) for key, corner in corners.items()}
    thread = ThreadPoolExecutor(1)
    limits = Limits(waited_for=0, changes=20)
    index = GeofenceIndex(fences, lambda build: thread.submit(build, go_on), limits)
    for key in range(1, 200):
        corners[key] = (key % 170, 60 + key % 7)
        index.put(key, box(*corners[key]))
        del corners[key + 1_000]
        index.discard(key + 1_000)
        middle = (key % 170 + 0.5, 60 + key % 7 + 0.5)
        here = [other for other, corner in corners.items() if corner == corners[key]]
        assert pairs(index, [middle, (0.5, -10)]) == [(0, other) for other in here]
    index.settle()
    middles = [(x + 0.5, y + 0.5) for x, y in corners.values()]
    keys = list(corners)
    assert [pair for pair in pairs(index, middles) if pair[1] == keys[pair[0]]] == list(enumerate(keys))


@pytest.mark.parametrize("shape", [shapely.box(0, 0, 1, 1), shapely.Point(0, 0)])
def test_a_build_ends_with_what_is_raised_between_its_steps(shape: shapely.Polygon | shapely.Point) -> None:
    steps = iter(range(4))

    def ended() -> None:
        if next(steps) == 3:
            raise InterruptedError

    radius = 1_000.0 if isinstance(shape, shapely.Point) else None
    with pytest.raises(InterruptedError):
        bulk_of({1: area_of(Geofence("area", shape, radius, {}))}, 10, ended)


def test_more_geofences_than_cells_are_for_are_packed_behind_the_same_door() -> None:
    fences = {1: box(1), 2: box(2)}
    packed = GeofenceIndex(fences, limits=Limits(in_cells=1))
    cells = GeofenceIndex(fences, limits=Limits(in_cells=2))
    assert isinstance(packed.bulk, PackedAreas)
    assert isinstance(cells.bulk, CellIndex)
    positions = [(1.5, 0.5), (2.0, 1.0)]
    assert pairs(packed, positions) == pairs(cells, positions) == [(0, 1), (1, 1), (1, 2)]


def box(longitude: float, latitude: float = 0) -> Geofence:
    return Geofence("box", shapely.box(longitude, latitude, longitude + 1, latitude + 1), None, {})


def test_geofences_too_many_for_cells_are_packed_once() -> None:
    background = Held()

    index = GeofenceIndex({1: box(1), 2: box(2)}, background, Limits(waited_for=0, in_cells=1))

    assert isinstance(index.bulk, PackedAreas)
    assert background.begun == 0
