"""The API over a real database, tracker and catalog, served by a real uvicorn on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from service.access.control import Asked
from service.api.app import create_app
from service.api.services import ApiServices
from service.catalog import GeofenceCatalog
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.location.arns import HOME
from service.metrics import Metrics
from service.readiness import Dependency
from service.reorder import ReorderClock
from service.store.database import Database
from service.tracker import Tracker
from tests.gates import Keys
from tests.http_servers import served
from tests.stores import Store


@dataclass
class Ground:
    """What the tests stand on. `dependencies` is what /v1/ready is told."""

    database: Database
    tracker: Tracker
    catalog: GeofenceCatalog
    app: FastAPI
    dependencies: dict[str, Dependency] = field(default_factory=dict)
    client: httpx.Client = field(default_factory=httpx.Client)

    def get(self, path: str, **query: str | int | float) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def problem(self, status: int, method: str, path: str, **request: Any) -> Any:
        """The problem document of an answer that must have this status."""
        answer = self.client.request(method, path, **request)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert document["status"] == status
        return document

    def post_positions(self, *positions: dict[str, Any], **query: str) -> Any:
        """Stores and evaluates positions; the answer's JSON."""
        answer = self.client.post("/v1/positions", json=list(positions), params=query)
        assert answer.status_code == 202, answer.text
        self.tracker.evaluate_due()
        return answer.json()


def position(device: str, at: str, longitude: float, latitude: float, **members: Any) -> dict[str, Any]:
    """A device's message measured on 2018-08-01 at this time of day."""
    return {
        "deviceId": device,
        "timestamp": f"2018-08-01T{at}.000Z",
        "latitude": latitude,
        "longitude": longitude,
        **members,
    }


def square(geofence_id: str, west: float, south: float, **properties: Any) -> dict[str, Any]:
    """A geofence of one degree by one."""
    east, north = west + 1, south + 1
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "id": geofence_id,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }


def feature_collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


@contextmanager
def grounded(store: Store, **of_services: Any) -> Iterator[Ground]:
    """Serves the API over this store; `of_services` are members of ApiServices that differ from the usual."""
    database = store.open()
    live = LiveGeofences()
    metrics = Metrics()
    tracker = Tracker(database, live, Intake(600_000, None), ReorderClock(0), metrics, channels=("email",))
    tracker.run_window(True)
    catalog = GeofenceCatalog(database, live)
    dependencies: dict[str, Dependency] = {}
    account = of_services.get("home", HOME).account
    of_services = {"access": Keys(database, account).control(Asked.STRANGERS), **of_services}
    services = ApiServices(
        database,
        tracker,
        catalog,
        lambda: dependencies,
        metrics.registry,
        "1.2.3",
        hosts=("fleet.example",),
        **of_services,
    )
    app = create_app(services)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Ground(database, tracker, catalog, app, dependencies, client)
    database.close()
