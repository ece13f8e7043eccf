"""Indexes are built aside, one at a time, and nobody waits for one when the process ends."""

import subprocess
import sys

import pytest
import shapely

from geofence.cells.steps import BetweenSteps
from geofence.geofence import Geofence
from geofence.index.geofence_index import Bulk, GeofenceIndex, Limits
from geofence.index.packed import PackedAreas
from service.building_aside import in_a_daemon_thread

ENDS_WHILE_IT_BUILDS = """
from threading import Event
import shapely
from geofence.areas.area import area_of
from geofence.cells.steps import BetweenSteps
from geofence.geofence import Geofence
from geofence.index.geofence_index import bulk_of
from service.building_aside import in_a_daemon_thread

areas = {1: area_of(Geofence("disc", shapely.Point(0, 0).buffer(60, quad_segs=5000), None, {}))}
begun = Event()

def build(between_steps):
    while True:
        bulk_of(areas, 10, between_steps)
        begun.set()

for _ in range(3):
    in_a_daemon_thread(build)
begun.wait()
"""


def test_process_that_ends_does_not_wait_for_a_build_that_never_ends() -> None:
    program = [sys.executable, "-c", ENDS_WHILE_IT_BUILDS]
    ended = subprocess.run(program, timeout=30, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_build_that_fails_is_told_by_its_future_and_the_next_one_is_built() -> None:
    def failing(_: BetweenSteps) -> Bulk:
        raise MemoryError("too little")

    failed, built = in_a_daemon_thread(failing), in_a_daemon_thread(lambda _: PackedAreas({}))
    with pytest.raises(MemoryError, match="too little"):
        failed.result(timeout=10)
    assert isinstance(built.result(timeout=10), PackedAreas)


def test_index_takes_what_a_thread_has_built_into_use() -> None:
    fence = Geofence("box", shapely.box(0, 0, 1, 1), None, {})
    index = GeofenceIndex({1: fence}, in_a_daemon_thread, Limits(waited_for=0))
    before = index.bulk
    index.settle()
    assert index.bulk is not before
    assert index.problem is None
