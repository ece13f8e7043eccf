"""Distances to geofences of several indexes, each of which knows some of them."""

import math

import numpy as np
from shapely.geometry import Point

from geofence.evaluation.watched import Watched, distances
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex


def test_each_index_is_asked_for_its_own_geofences_and_one_in_none_is_far_away() -> None:
    circle = Geofence("circle", Point(0, 0), 1_000.0, {})
    indexes = GeofenceIndex({1: circle}), GeofenceIndex({2: circle, 4: circle})
    asked = np.array([2, 1, 3, 4], np.int32)
    longitude, latitude = np.array([0.0, 1.0, 0.0, 2.0]), np.zeros(4)
    found = distances([Watched(index) for index in indexes])(asked, longitude, latitude, np.full(4, math.inf))
    assert found.dtype == np.float64
    assert [round(metres / 111_319) for metres in found[[0, 1, 3]].tolist()] == [0, 1, 2]
    assert found[2] == math.inf
