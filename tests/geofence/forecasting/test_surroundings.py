"""Pages of a forecast, one after the other, are the forecast; containment is what the index says."""

import numpy as np
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geofence.forecasting.forecast import forecast
from geofence.forecasting.surroundings import START, Place, Surroundings
from geofence.forecasting.vicinity import Vicinity
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from tests.geofence.strategies import geofences, positions_near


@st.composite
def geofences_and_a_position(draw: st.DrawFn) -> tuple[list[Geofence], tuple[float, float]]:
    some = draw(st.lists(geofences, min_size=1, max_size=8))
    return some, draw(positions_near(some))


WORLD = Geofence("world", shapely.box(-180, -90, 180, 90), None, {})


@given(
    geofences_and_a_position(),
    st.sampled_from([0.0, 1.0, 250.0]),
    st.sampled_from([0.0, 60.0, 3_600.0, 1e6, 1e300]),
    st.integers(1, 4),
)
@example(([WORLD, WORLD], (180.0, 0.0)), 250.0, 1e300, 1)
@settings(max_examples=60, deadline=None)
def test_pages_one_after_the_other_are_the_whole_forecast(
    case: tuple[list[Geofence], tuple[float, float]], speed: float, horizon: float, limit: int
) -> None:
    some, position = case
    keyed = dict(enumerate(some, 1))
    surroundings = Surroundings(keyed)
    containing = GeofenceIndex(keyed).containing(np.array([position[0]]), np.array([position[1]]))
    inside = surroundings.containing(*position)
    assert inside.tolist() == containing.geofence.tolist()

    whole = forecast(Vicinity(keyed), inside, *position, speed, min(horizon, 1e9))
    expected = list(zip(whole.geofence.tolist(), whole.types, whole.distance.tolist(), strict=True))
    found: list[tuple[int, str, float]] = []
    after = START
    while True:
        page = surroundings.forecast(*position, speed, horizon, limit, after)
        found += zip(page.geofence.tolist(), page.types, page.distance.tolist(), strict=True)
        if len(page) < limit:
            break
        reached = not np.isnan(page.seconds[-1])
        after = Place(page.distance[-1] if reached else np.inf, int(page.geofence[-1]))
    assert found == expected


def test_of_many_geofences_few_are_measured_and_the_nearest_come_first() -> None:
    grid = {
        1 + 100 * row + at: Geofence(f"{row} {at}", shapely.box(at, row, at + 0.5, row + 0.5), None, {})
        for row in range(60)
        for at in range(100)
    }
    surroundings = Surroundings(grid)
    page = surroundings.forecast(50.25, 30.25, 250.0, 1e6, 3)
    assert page.geofence[0] == 1 + 100 * 30 + 50 and page.types == ["EXIT", "ENTER", "ENTER"]
    assert (np.diff(page.distance) >= 0).all()
    without = surroundings.forecast(50.25, 30.25, 250.0, 1e6, 1, without=page.geofence[:1])
    assert without.geofence.tolist() == page.geofence[1:2].tolist()


def test_what_is_put_or_discarded_is_there_or_gone_at_once() -> None:
    here = Geofence("here", shapely.box(0, 0, 1, 1), None, {})
    surroundings = Surroundings({})
    assert len(surroundings.forecast(0.5, 0.5, 0.0, 0.0, 20)) == 0
    surroundings.put({7: here})
    assert surroundings.forecast(0.5, 0.5, 0.0, 0.0, 20).types == ["IDLE"]
    assert surroundings.forecast(0.5, 0.5, 30.0, 1e5, 20).types == ["EXIT"]
    assert surroundings.forecast(2.0, 0.5, 30.0, 1e5, 20).types == ["ENTER"]
    surroundings.discard(7)
    assert len(surroundings.forecast(0.5, 0.5, 30.0, 1e5, 20)) == len(surroundings) == 0
