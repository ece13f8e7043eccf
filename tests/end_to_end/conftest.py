"""The real flights of a day, and of its morning, with what must come of them."""

import pytest

from sample_data.flights import FlightFiles
from tests.exact_flights import DAWN_ENDS, MORNING_ENDS, Flown
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def whole_day(flights: FlightFiles) -> Flown:
    """139,098 fixes of 842 aircraft, 22,496 events."""
    flown = Flown.whole_day(flights)
    assert (flown.count, flown.devices, len(flown.event_ids)) == (139_098, 842, 22_496)
    return flown


@pytest.fixture(scope="session")
def morning(flights: FlightFiles, tmp_path_factory: pytest.TempPathFactory) -> Flown:
    """The first third, for what costs time and wants no length."""
    return Flown.until(MORNING_ENDS, flights, tmp_path_factory.mktemp("flights"))


@pytest.fixture(scope="session")
def dawn(flights: FlightFiles, tmp_path_factory: pytest.TempPathFactory) -> Flown:
    """The first two hours."""
    return Flown.until(DAWN_ENDS, flights, tmp_path_factory.mktemp("flights"))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The setting that names a database with nothing in it: none for SQLite, which is in the data folder."""
    if request.param == "sqlite":
        return {}
    server: Postgres = request.getfixturevalue("postgres")
    return {"DATABASE_URL": server.empty_database()}


@pytest.fixture
def flown(request: pytest.FixtureRequest) -> Flown:
    """Those that the test names: `morning`, or `whole_day` where there is time."""
    flown: Flown = request.getfixturevalue(request.param)
    return flown
