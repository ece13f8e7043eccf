"""What tests of several folders stand on: the real flights with their expected events, and PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_data.flights import DEFAULT_FOLDER, FlightFiles, build
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def flights() -> FlightFiles:
    """Real flights: `.positions` (NDJSON, gzip), `.geofences`, `.expected_events` (NDJSON, gzip).

    Built once into `.overfly/flights` of the repository and kept there. An expected event has eventType,
    deviceId, geofenceId and sampleTime; its position is the fix's own.
    """
    return build(DEFAULT_FOLDER, _say)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds everything."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of this process of pytest."""
    with Postgres.of_its_own() as server:
        yield server


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
