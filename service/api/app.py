"""The API as an ASGI application."""

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.middleware import Middleware
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from service.access.control import AccessControl
from service.access.gate import Gate
from service.access.refusals import answer_of
from service.api import (
    alerts,
    audit,
    collections,
    devices,
    documentation,
    events,
    geofences,
    health,
    histories,
    iot_data,
    keys,
    links,
    metrics,
    positions,
    rejects,
    telephones,
    trackers,
)
from service.api.guard import Guard
from service.api.parameters import once_each
from service.api.problems import answer_with_problems, documented
from service.api.replica_routing import ReplicaRouting
from service.api.services import ApiServices
from service.errors import AccessRefused
from service.location.routes import LocationRoutes
from service.read_replica import ReadReplica

NOUNS = (
    health,
    devices,
    positions,
    histories,
    events,
    geofences,
    rejects,
    alerts,
    trackers,
    collections,
    links,
    keys,
    audit,
)


def create_app(services: ApiServices) -> FastAPI:
    """The application over these services; it builds and opens nothing itself."""
    app = FastAPI(
        title="Overfly",
        version=services.version,
        middleware=[
            Middleware(Guard, hosts=services.hosts),
            *_gate(services.access),
            *_routing(services.replica),
            Middleware(LocationRoutes, services=services),
        ],
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_name,
    )
    app.state.services = services
    at_version = APIRouter(prefix="/v1", dependencies=[Depends(once_each)], responses=documented(400, 503))
    for noun in NOUNS:
        at_version.include_router(noun.router)
    app.include_router(at_version)
    app.include_router(iot_data.router)
    app.include_router(telephones.router)
    app.include_router(metrics.router)
    app.include_router(documentation.router)
    app.add_api_route("/", _root, include_in_schema=False)
    answer_with_problems(app)
    app.add_exception_handler(AccessRefused, _refused)
    documentation.describe(app)
    return app


def _gate(access: AccessControl | None) -> list[Middleware]:
    return [] if access is None else [Middleware(Gate, control=access)]


def _routing(replica: ReadReplica | None) -> list[Middleware]:
    return [] if replica is None else [Middleware(ReplicaRouting, replica=replica)]


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, AccessRefused)  # noqa: S101 - narrows the type for what it is registered for
    return answer_of(error, amazon=False)


def _root() -> RedirectResponse:
    return RedirectResponse("/docs")


def _name(route: APIRoute) -> str:
    return route.name
