"""The API on a database of its own, for each test."""

from collections.abc import Iterator

import httpx
import pytest

from service.api.app import create_app
from service.api.services import ApiServices
from service.catalog import GeofenceCatalog
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.readiness import Dependency
from service.reorder import ReorderClock
from service.tracker import Tracker
from tests.service.api.ground import Ground, served
from tests.stores import Store


@pytest.fixture
def ground(store: Store) -> Iterator[Ground]:
    database = store.open()
    live = LiveGeofences()
    metrics = Metrics()
    tracker = Tracker(database, live, Intake(600_000, None), ReorderClock(0), metrics, channels=("email",))
    tracker.run_window(True)
    catalog = GeofenceCatalog(database, live)
    dependencies: dict[str, Dependency] = {}
    services = ApiServices(
        database, tracker, catalog, lambda: dependencies, metrics.registry, "1.2.3", hosts=("fleet.example",)
    )
    app = create_app(services)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Ground(database, tracker, catalog, app, dependencies, client)
    database.close()
