"""Simulated flights: devices that fly great circles from airport to airport, as a pure function of time.

A flight climbs, cruises and descends: speed and altitude rise and fall evenly, so that the distance flown
is a piecewise quadratic of time. After it the aircraft stands for GROUND_SECONDS and leaves for somewhere
else. Where each goes next depends on the seed, its number and the count of its flights only: any two runs
agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.positions import PositionBatch
from ingest.flights.airports import AIRPORTS, Airport
from ingest.flights.great_circles import Floats, GreatCircles, unit_vectors

Integers = NDArray[np.int64]

SHORTEST, LONGEST = 150e3, 9_000e3
"""Metres between the airports of a flight."""
CLIMB_SECONDS, DESCENT_SECONDS = 1200.0, 1500.0
TAKE_OFF_SPEED, LANDING_SPEED = 80.0, 70.0
"""m/s"""
GROUND_SECONDS = 600.0
FLIGHT_LEVEL = 304.8
"""Metres: cruising altitudes are thousands of feet."""
FIRST_ADDRESS = 0x4B0000
ACCURACY: Final = 10.0


class Fleet:
    """Aircraft 0..devices-1 from `start_ms` (ms since the epoch) on, nearly all of them in the air then."""

    def __init__(
        self, devices: int, start_ms: int, seed: int = 0, airports: Sequence[Airport] = AIRPORTS
    ) -> None:
        self.device_id = np.array([f"{FIRST_ADDRESS + device:06x}" for device in range(devices)], object)
        self._start_ms, self._seed = start_ms, seed
        self._routes = _Routes.among(airports)
        random = np.random.default_rng([seed, 0])
        self._speed = random.uniform(200.0, 250.0, devices)
        self._altitude: Floats = random.integers(29, 42, devices) * np.float64(FLIGHT_LEVEL)
        self._airport = random.integers(0, len(airports), devices)
        self._leaves = np.zeros(devices)
        self._flights = np.empty((devices, 0), np.int64)
        self._departures = self._ends = np.empty((devices, 0))
        self._add_flight()
        flown = random.uniform(0.0, 1.0, devices) * (self._leaves - GROUND_SECONDS)
        self._leaves -= flown
        self._departures = self._departures - flown[:, np.newaxis]
        self._ends = self._ends - flown[:, np.newaxis]

    def positions(self, device: Integers, time_ms: Integers) -> PositionBatch:
        """Where `device[i]` is at `time_ms[i]`, which is at or after the start."""
        seconds = (time_ms - self._start_ms) / 1000.0
        number = self._flight_number(device, seconds)
        flight = _Flight.of(
            self._routes.ways.take(self._flights[device, number]), self._speed[device], self._altitude[device]
        )
        columns = flight.after(seconds - self._departures[device, number])
        callsign = (device + 1009 * number) % 9999 + 1
        return _batch(self.device_id[device], time_ms, columns, callsign)

    def _flight_number(self, device: Integers, seconds: Floats) -> Integers:
        """Counts each aircraft's flights; adds more as time goes on."""
        latest = seconds.max(initial=0.0)
        while self._leaves.min(initial=np.inf) <= latest:
            self._add_flight()
        # one sorted sequence for all: each aircraft's ends, moved into a stretch of its own
        stretch = self._ends.max(initial=0.0) + 1.0
        ends = self._ends + np.arange(len(self._ends))[:, np.newaxis] * stretch
        found: Integers = np.searchsorted(ends.ravel(), seconds + device * stretch, side="right")
        number: Integers = found - device * self._ends.shape[1]
        return number

    def _add_flight(self) -> None:
        """One more flight of each aircraft, from where it stands."""
        random = np.random.default_rng([self._seed, 1 + self._flights.shape[1]])
        route = self._routes.choice(self._airport, random.uniform(0.0, 1.0, len(self._airport)))
        flight = _Flight.of(self._routes.ways.take(route), self._speed, self._altitude)
        self._airport = self._routes.destination(route)
        self._flights = np.column_stack([self._flights, route])
        self._departures = np.column_stack([self._departures, self._leaves])
        self._leaves = self._leaves + flight.duration + GROUND_SECONDS
        self._ends = np.column_stack([self._ends, self._leaves])


@dataclass(frozen=True, slots=True)
class _Routes:
    """Route `i * airports + j` goes from airport i to j."""

    airports: int
    ways: GreatCircles
    reachable: Integers
    """Airports in range of each, padded to the same count; shape (airports, airports)."""
    choices: Integers

    @classmethod
    def among(cls, airports: Sequence[Airport]) -> Self:
        points = unit_vectors(
            np.array([airport.longitude for airport in airports]),
            np.array([airport.latitude for airport in airports]),
        )
        count = len(airports)
        start, end = np.divmod(np.arange(count * count), count)
        with np.errstate(
            invalid="ignore"
        ):  # from an airport to itself there is no direction; nobody flies it
            ways = GreatCircles.between(points[start], points[end])
        in_range = ((ways.length >= SHORTEST) & (ways.length <= LONGEST)).reshape(count, count)
        if not in_range.any(axis=1).all():
            raise ValueError("each airport needs another between 150 and 9,000 km away")
        return cls(count, ways, np.argsort(~in_range, axis=1, kind="stable"), in_range.sum(axis=1))

    def choice(self, airport: Integers, chance: Floats) -> Integers:
        picked = (chance * self.choices[airport]).astype(np.int64)
        return airport * self.airports + self.reachable[airport, picked]

    def destination(self, route: Integers) -> Integers:
        return route % self.airports


@dataclass(frozen=True, slots=True)
class _Columns:
    """Degrees, metres, metres per second."""

    longitude: Floats
    latitude: Floats
    altitude: Floats
    speed: Floats
    heading: Floats
    vertical_rate: Floats


@dataclass(frozen=True, slots=True)
class _Flight:
    """Flights as columns: a way, cruising speed and altitude, and how long each phase takes (s)."""

    way: GreatCircles
    speed: Floats
    altitude: Floats
    climb: Floats
    descent: Floats
    duration: Floats

    @classmethod
    def of(cls, way: GreatCircles, speed: Floats, altitude: Floats) -> Self:
        """On a short way climb and descent are cut, and the altitude with them."""
        climbed = (TAKE_OFF_SPEED + speed) / 2 * CLIMB_SECONDS
        descended = (speed + LANDING_SPEED) / 2 * DESCENT_SECONDS
        part = np.minimum(1.0, 0.8 * way.length / (climbed + descended))
        climb, descent = part * CLIMB_SECONDS, part * DESCENT_SECONDS
        cruise = (way.length - part * (climbed + descended)) / speed
        return cls(way, speed, part * altitude, climb, descent, climb + cruise + descent)

    def after(self, elapsed: Floats) -> _Columns:
        """`elapsed` seconds after departure; beyond the duration the aircraft stands where it landed."""
        flying = elapsed < self.duration
        done = np.minimum(elapsed, self.duration)
        left = self.duration - done
        climbing, descending = done < self.climb, left < self.descent
        up, down = np.minimum(done / self.climb, 1.0), np.minimum(left / self.descent, 1.0)
        gained, lost = self.speed - TAKE_OFF_SPEED, self.speed - LANDING_SPEED
        from_start = done * TAKE_OFF_SPEED + gained * up * np.minimum(done, self.climb) / 2
        from_start += gained * np.maximum(done - self.climb, 0.0)
        to_end = left * LANDING_SPEED + lost * down * left / 2
        distance = np.where(descending, self.way.length - to_end, from_start)
        longitude, latitude, heading = self.way.at(distance)
        speed = np.where(descending, LANDING_SPEED + lost * down, TAKE_OFF_SPEED + gained * up)
        rate = np.where(climbing, self.altitude / self.climb, 0.0) - np.where(
            descending, self.altitude / self.descent, 0.0
        )
        altitude = self.altitude * np.minimum(up, down)
        return _Columns(longitude, latitude, altitude, speed * flying, heading, rate * flying)


def _batch(
    device_id: NDArray[np.object_], time_ms: Integers, at: _Columns, callsign: Integers
) -> PositionBatch:
    """Rounded as transponders report; -0.0 becomes 0.0."""
    altitude, speed = at.altitude.round(1) + 0.0, at.speed.round(1) + 0.0
    heading, rate = at.heading.round(1) % 360.0, at.vertical_rate.round(2) + 0.0
    columns = zip(
        altitude.tolist(), callsign.tolist(), heading.tolist(), speed.tolist(), rate.tolist(), strict=True
    )
    properties = [
        f'{{"altitude":{metres},"callsign":"OVF{flight:04d}","heading":{degrees},"speed":{fast},"verticalRate":{up}}}'
        for metres, flight, degrees, fast, up in columns
    ]
    return PositionBatch(
        device_id=device_id,
        sample_time=time_ms,
        longitude=at.longitude.round(6) + 0.0,
        latitude=at.latitude.round(6) + 0.0,
        altitude=altitude,
        accuracy=np.full(len(time_ms), ACCURACY),
        properties=np.array(properties, object),
    )
