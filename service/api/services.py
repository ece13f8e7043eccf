"""What the API is given: everything it calls, built by the composition root."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from service.access.control import AccessControl
from service.catalog import DEFAULT, GeofenceCatalog
from service.location.arns import HOME, Home
from service.location.gathered_posts import GatheredPosts
from service.location.limits import AMAZONS, Limits
from service.read_replica import ReadReplica
from service.readiness import Dependency
from service.store.database import Database
from service.surroundings import AllSurroundings
from service.tracker import Tracker

TOPICS = ("aircraft/+/position", "overfly/positions/+")

OF_PRIMARY = "overfly.primary"
"""What is true in the ASGI scope of a request that the primary is to answer."""


@dataclass(frozen=True, slots=True)
class ApiServices:
    """`hosts`: names besides 127.0.0.1, localhost and [::1] by which people reach this server, None: any.

    `dependencies` answers by name, and may take its time: it is called in a thread. `default_tracker` is
    meant where a request names none. `topics`: filters of those that are read. `replica`: what is to be
    read from, where it is not the primary. `home` and `limits` are for Amazon Location's face: where
    resources are said to be, and how many may be; `surroundings` are what its forecasts search, `posts`
    gather the positions of its callers. `access`: who may call; None: nobody is asked.
    """

    database: Database
    tracker: Tracker
    catalog: GeofenceCatalog
    dependencies: Callable[[], Mapping[str, Dependency]]
    metrics: CollectorRegistry
    version: str
    default_tracker: str = DEFAULT
    topics: tuple[str, ...] = TOPICS
    hosts: tuple[str, ...] | None = ()
    replica: ReadReplica | None = None
    home: Home = HOME
    limits: Limits = AMAZONS
    surroundings: AllSurroundings = field(default_factory=AllSurroundings)
    access: AccessControl | None = None
    posts: GatheredPosts = field(default_factory=GatheredPosts)

    def read(self) -> AbstractContextManager[Connection]:
        """As `Database.read`: of what answers this request. Raises ReplicaBehind, too."""
        return self.database.read() if self.replica is None else self.replica.read()


def _services(request: Request) -> ApiServices:
    services = request.app.state.services
    assert isinstance(services, ApiServices)  # noqa: S101 - narrows the type; create_app has put it there
    return replace(services, replica=None) if request.scope.get(OF_PRIMARY) else services


Services = Annotated[ApiServices, Depends(_services)]
"""The parameter by which a route receives them."""
