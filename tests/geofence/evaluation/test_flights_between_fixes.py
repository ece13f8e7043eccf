"""Real flights of which only every tenth fix is known: paths find what the fixes between would have shown."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from geofence.evaluation.fence_conditions import FenceConditions
from geofence.evaluation.watched import Joining, Watched
from geofence.events import ENTER_KIND
from geofence.fixes.fix_columns import FixColumns
from geofence.index.geofence_index import GeofenceIndex
from geofence.paths.paths import Paths
from geofence.reading.geojson import read_geofences
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import read_positions
from sample_data.flights import FlightFiles

KNOWN = 10
"""One of so many fixes of a device."""

DAY_BITS = 28
"""Enough for the milliseconds of a day."""


@dataclass(frozen=True, slots=True)
class Flights:
    """n fixes by device and time, and the rank of each among its device's."""

    device: NDArray[np.int32]
    time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    rank: NDArray[np.int64]

    def take(self, index: NDArray[np.int64]) -> Self:
        columns = (self.device, self.time, self.longitude, self.latitude, self.rank)
        return type(self)(*(column[index] for column in columns))

    @property
    def known(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.rank % KNOWN == 0)

    def paths(self) -> tuple[Paths, NDArray[np.int64]]:
        """From each fix to the next of its device; and the former's number."""
        former = np.flatnonzero(self.device[1:] == self.device[:-1])
        x, y = self.longitude, self.latitude
        return Paths(x[former], y[former], x[former + 1], y[former + 1]), former


@pytest.fixture(scope="module")
def flown(flights: FlightFiles) -> Flights:
    read = read_positions(flights.positions, DecodeLimits(max_ahead=None))
    order = np.lexsort((read.sample_time, read.device))
    columns = (read.device, read.sample_time, read.longitude, read.latitude)
    device, *others = (column[order] for column in columns)
    return Flights(device, *others, np.arange(len(device)) - np.searchsorted(device, device))


@pytest.fixture(scope="module")
def index(flights: FlightFiles) -> GeofenceIndex:
    return GeofenceIndex(dict(enumerate(read_geofences(flights.geofences.read_bytes()), 1)))


def evaluated(flights: Flights, index: GeofenceIndex, joining: Joining | None) -> Evaluation:
    count = len(flights.device)
    fixes = FixColumns(
        flights.device,
        [str(number) for number in range(int(flights.device.max()) + 1)],
        flights.time,
        flights.longitude,
        flights.latitude,
        np.full(count, np.nan),
        altitudes=lambda numbers: np.full(len(numbers), np.nan),
        properties=lambda numbers: [""] * len(numbers),
    )
    containment = index.containing(fixes.longitude, fixes.latitude)
    state = InsideState(int(flights.device.max()) + 1)
    return FenceConditions().evaluate(fixes, containment, state, [Watched(index, joining)])


def test_every_place_on_a_path_is_inside_as_its_crossings_say(flown: Flights, index: GeofenceIndex) -> None:
    paths, _ = flown.take(flown.known).paths()
    crossings = index.crossings(paths)
    begins = index.containing(paths.from_longitude, paths.from_latitude)
    share = np.random.default_rng(0).uniform(0, 1, len(paths))
    inside = index.containing(*paths.at(share))

    def pairs(path: NDArray[np.int64], geofence: NDArray[np.int32]) -> NDArray[np.int64]:
        return path << 32 | geofence

    before = crossings.share <= share[crossings.path]
    turns = np.concatenate(
        [
            pairs(begins.position, begins.geofence),
            pairs(crossings.path[before], crossings.geofence[before]),
        ]
    )
    pair, count = np.unique(turns, return_counts=True)
    expected = pair[count % 2 == 1]
    assert len(expected) > 10_000
    assert np.array_equal(expected, pairs(inside.position, inside.geofence))


def test_visits_between_known_fixes_are_found_where_the_path_goes_through_the_geofence_too(
    flown: Flights, index: GeofenceIndex
) -> None:
    known = flown.take(flown.known)
    found = evaluated(known, index, Joining(max_gap=10**9, max_speed=1e9))
    paths, former = known.paths()
    path_of_former = np.full(len(known.device), -1)
    path_of_former[former] = np.arange(len(former))
    unknown = np.flatnonzero(flown.rank % KNOWN != 0)
    path = path_of_former[np.searchsorted(flown.known, unknown, side="right") - 1]
    unknown, path = unknown[path >= 0], path[path >= 0]
    places = nearest_places(paths.take(path), flown.longitude[unknown], flown.latitude[unknown])

    there = index.containing(flown.longitude[unknown], flown.latitude[unknown])
    near = index.containing(*places)
    both = np.intersect1d(
        there.position << 32 | there.geofence, near.position << 32 | near.geofence, assume_unique=True
    )
    fix, geofence = both >> 32, both & 0xFFFFFFFF
    start, end = known.time[former[path[fix]]], known.time[former[path[fix]] + 1]
    pair = known.device[former[path[fix]]].astype(np.int64) << 32 | geofence
    events = found.device.astype(np.int64) << 32 | found.geofence
    entering = found.kind == ENTER_KIND
    entered = counted(events[entering], found.time[entering], pair, end)
    left = counted(events[~entering], found.time[~entering], pair, start)
    assert len(both) > 100_000
    assert np.all(entered > left)


def nearest_places(
    paths: Paths, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The place on each path that is nearest to the position beside it, in degrees."""
    east, north = paths.to_longitude - paths.from_longitude, paths.to_latitude - paths.from_latitude
    length = np.maximum(east**2 + north**2, 1e-30)
    along = (longitude - paths.from_longitude) * east + (latitude - paths.from_latitude) * north
    return paths.at(np.clip(along / length, 0, 1))


def counted(
    events: NDArray[np.int64], times: NDArray[np.int64], pair: NDArray[np.int64], until: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many events each pair has up to a time."""
    _, number = np.unique(np.concatenate([events, pair]), return_inverse=True)
    epoch = min(times.min(), until.min())
    events, pair = number[: len(events)] << DAY_BITS, number[len(events) :] << DAY_BITS
    moments = np.sort(events | times - epoch)
    return np.searchsorted(moments, pair | until - epoch, side="right") - np.searchsorted(moments, pair)


def test_paths_between_every_tenth_fix_show_as_many_visits_as_all_fixes_which_a_tenth_alone_does_not(
    flown: Flights, index: GeofenceIndex
) -> None:
    known = flown.take(flown.known)
    all_fixes, some_fixes = evaluated(flown, index, None), evaluated(known, index, None)
    joined = evaluated(known, index, Joining())
    visits = [int(np.sum(each.kind == ENTER_KIND)) for each in (all_fixes, some_fixes, joined)]
    assert visits[1] < 0.65 * visits[0]
    assert 0.98 * visits[0] < visits[2] < 1.02 * visits[0]
