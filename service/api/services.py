"""What the API is given: everything it calls, built by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.catalog import DEFAULT, GeofenceCatalog
from service.readiness import Dependency
from service.store.database import Database
from service.tracker import Tracker


@dataclass(frozen=True, slots=True)
class ApiServices:
    """`hosts`: names besides 127.0.0.1, localhost and [::1] under which people reach this server.

    `dependencies` answers by name, and may take its time: it is called in a thread. `default_tracker` is
    meant where a request names none.
    """

    database: Database
    tracker: Tracker
    catalog: GeofenceCatalog
    dependencies: Callable[[], Mapping[str, Dependency]]
    metrics: CollectorRegistry
    version: str
    default_tracker: str = DEFAULT
    hosts: tuple[str, ...] = ()


def _services(request: Request) -> ApiServices:
    services = request.app.state.services
    assert isinstance(services, ApiServices)  # noqa: S101 - narrows the type; create_app has put it there
    return services


Services = Annotated[ApiServices, Depends(_services)]
"""The parameter by which a route receives them."""
