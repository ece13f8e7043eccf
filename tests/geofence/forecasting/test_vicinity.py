"""Which geofences are near, while they come and go."""

import numpy as np
import shapely

from geofence.forecasting.vicinity import Vicinity
from geofence.geofence import Geofence


def box(west: float) -> Geofence:
    return Geofence(f"at {west}", shapely.box(west, 0, west + 1, 1), None, {})


def test_what_was_discarded_is_near_nothing_and_its_place_is_given_to_the_next() -> None:
    vicinity = Vicinity({key: box(key) for key in (1, 2, 3)})
    vicinity.discard(2)
    vicinity.discard(2)
    assert vicinity.within(2, 0.5, 500_000).tolist() == [1, 3]

    vicinity.put(9, box(2))
    assert vicinity.within(2, 0.5, 500_000).tolist() == [1, 3, 9]
    assert vicinity.within(100, 0.5, 500_000).tolist() == np.empty(0).tolist()
