"""What geofences share."""

import gc

import numpy as np

from geofence.conditions.conditions import Conditions
from geofence.conditions.rows import ConditionRows
from geofence.conditions.shared import Shared
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours


class Made:
    def __init__(self, key: str) -> None:
        self.key = key


def test_equal_keys_share_one_while_any_of_them_is_there() -> None:
    shared = Shared(Made)
    one, other = shared.of("a"), shared.of("".join(["", "a"]))
    assert one is other
    assert shared.of(None) is None
    assert len(shared) == 1
    del one, other
    gc.collect()
    assert len(shared) == 0


def test_geofences_that_ask_for_the_same_share_filters_and_schedules() -> None:
    rows = ConditionRows(unknown_altitude_inside=False)
    for key in (1, 2):
        schedule = Timetable("UTC", WeeklyHours(((0, 0, 60),)))
        asked = Conditions(devices=("a", "b"), device_properties=(("a", ("b",)),), schedule=schedule)
        rows.put({key: asked})
    columns = rows.columns
    assert all(each[0] is each[1] for each in (columns.devices, columns.properties, columns.schedule))
    del columns
    rows.discard(np.array([1, 2], np.int32))
    gc.collect()
    assert [len(shared) for shared in (rows._devices, rows._properties, rows._schedules)] == [0, 0, 0]
