"""The real flights give exactly the expected events, whichever kernel serves."""

import gzip
import json

import numpy as np
import pytest

from geofence.evaluation.evaluator import evaluate
from geofence.events import ENTER_KIND
from geofence.fixes.fix_columns import FixColumns
from geofence.index.geofence_index import GeofenceIndex
from geofence.kernels import Kernel
from geofence.reading.geojson import read_geofences
from geofence.state.inside_state import InsideState
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.ndjson import read_positions
from sample_data.flights import FlightFiles

Told = tuple[str, str, str, str]


def expected(flights: FlightFiles) -> set[Told]:
    lines = gzip.decompress(flights.expected_events.read_bytes()).splitlines()
    members = ("eventType", "deviceId", "geofenceId", "sampleTime")
    return {tuple(event[member] for member in members) for event in map(json.loads, lines)}


@pytest.mark.parametrize("batch", [500, 100_000])
def test_real_flights_give_exactly_the_expected_events(
    flights: FlightFiles, kernel: Kernel, batch: int
) -> None:
    positions = read_positions(flights.positions, DecodeLimits(max_ahead=None))
    geofences = dict(enumerate(read_geofences(flights.geofences.read_bytes()), 1))
    index, state = GeofenceIndex(geofences, kernel=kernel), InsideState(len(positions.device_ids))
    found: list[Told] = []
    for start in range(0, len(positions.device), batch):
        part = slice(start, start + batch)
        device, time = positions.device[part], positions.sample_time[part]
        containment = index.containing(positions.longitude[part], positions.latitude[part])
        fixes = FixColumns(
            device,
            positions.device_ids,
            time,
            positions.longitude[part],
            positions.latitude[part],
            positions.accuracy[part],
            altitudes=lambda at: np.full(len(at), np.nan),
            properties=lambda at: [""] * len(at),
        )
        evaluation = evaluate(fixes, containment, state, kernel=kernel)
        state.apply(evaluation)
        at = evaluation.position
        columns = (evaluation.kind == ENTER_KIND, device[at], evaluation.geofence, time[at])
        for entering, slot, key, moment in zip(*(column.tolist() for column in columns), strict=True):
            text = f"{np.datetime64(moment, 'ms')}Z"
            found.append(
                ("ENTER" if entering else "EXIT", positions.device_ids[slot], geofences[key].id, text)
            )
    assert len(found) == 22_496
    assert set(found) == expected(flights)
