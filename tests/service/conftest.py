"""Both stores: what a test of the service asks for by `store` or `new_store`, it is run on each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.store.schema_state import prepare
from service.store.sqlite import open_sqlite
from tests.postgres import Postgres
from tests.replicas import Pair
from tests.stores import PostgresStore, SqliteStore, Store

SOAKED = (
    "api/test_alerts",
    "api/test_geofences",
    "api/test_problems",
    "api/test_schema",
    "api/test_trackers",
    "location/test_",
)
"""What asks the store for nothing that others do not ask it for."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL, properties, which make a store for each example, and SOAKED are for `./run soak`."""
    for item in items:
        asked = getattr(item, "callspec", None)
        properties = hasattr(getattr(item, "function", None), "hypothesis")
        soaked = properties or any(name in item.nodeid for name in SOAKED)
        if soaked and asked is not None and asked.params.get("new_store") == "postgres":
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder at the newest schema, to be copied: migrations take a while."""
    folder = tmp_path_factory.mktemp("migrated")
    database = open_sqlite(folder)
    prepare(database)
    database.close()
    return folder


@pytest.fixture(params=["sqlite", "postgres"])
def new_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Callable[[], Store]:
    """Makes a store with nothing in it, as often as it is called."""
    if request.param == "sqlite":
        return lambda: SqliteStore.copied(migrated, tmp_path_factory.mktemp("data"))
    server: Postgres = request.getfixturevalue("postgres")
    return lambda: PostgresStore(server.new_database())


@pytest.fixture(params=["sqlite", "postgres"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A database without tables."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    return PostgresStore(server.empty_database())


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """A primary and its replica; who stops one of them starts it again."""
    with Pair.of_its_own() as made:
        yield made


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    return new_store()


@pytest.fixture
def sqlite_store(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """For what does not depend on the store."""
    return SqliteStore.copied(migrated, tmp_path_factory.mktemp("data"))
