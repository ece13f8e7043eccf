"""The API's own description: /openapi.json, and /docs to read and try it, without any other server."""

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from msgspec import json

from service.access.all_rules import RULES
from service.access.rules import Rule
from service.api import (
    alerts,
    audit,
    collections,
    devices,
    events,
    geofences,
    health,
    histories,
    iot_data,
    keys,
    positions,
    rejects,
    trackers,
)
from service.api.problems import Problem, documented

SHAPES = (
    Problem,
    health.Health,
    health.Readiness,
    devices.DeviceCollection,
    devices.DeviceFeature,
    devices.DevicePositionPage,
    positions.Receipt,
    iot_data.Published,
    histories.EvaluatedPositionPage,
    histories.ChangePage,
    events.EventPage,
    rejects.RejectPage,
    alerts.AlertPage,
    geofences.GeofenceFeatureCollection,
    geofences.GeofencesPut,
    trackers.TrackerPage,
    trackers.NewTracker,
    trackers.TrackerChange,
    collections.CollectionPage,
    collections.NewCollection,
    collections.CollectionChange,
    keys.KeyList,
    keys.NewKey,
    keys.NewKeyItem,
    audit.AuditPage,
)
"""What the documentation refers to by name; shapes inside these come along."""

DESCRIPTION = """\
Overfly tracks things that move and tells people when they cross a line. Devices publish positions; positions
become ENTER, EXIT and DWELL events of geofences; this is where you ask for both.

- **Where is everything?** `GET /v1/devices` is GeoJSON: any map shows it.
- **What has happened?** `GET /v1/events`, in the order of commit.
- **Which lines count?** `POST /v1/geofences` takes a GeoJSON FeatureCollection.
- **Why was my message not stored?** `GET /v1/rejects?device=...`
- **Who was told?** `GET /v1/alerts`
- **Would the same come out again?** `GET /v1/positions` with `GET /v1/revisions`; `overfly export` has both.

**Lists** take `limit` and `cursor` and answer `nextCursor`, while there is more now, and `resumeCursor`, to
come back with later for what has come since. Over events, rejects, alerts and revisions such a walk skips
nothing. Where reads go to a replica of the database, what is new comes a moment later: `GET /v1/ready` has
its lag.

**Names**: `tracker` and `collection` say which of several; `default` of each exists and the two are linked.

**Times** are UTC, in ISO 8601. **Positions** are longitude, latitude, as in GeoJSON. Units are SI.

**Errors** are problem documents (RFC 9457): `detail` says what was wrong and what would be right. A query
parameter that is not known is refused. 503 means: the same again, a little later.
"""

SECURITY = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "`overfly keys create`; also as Authorization: Bearer",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "of the issuer OVERFLY_OIDC_ISSUER",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Signature Version 4 with an access key, for the service `geo`, at /topics/ "
        "`iotdata`: `overfly keys create --kind access`",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
}
"""How a caller says who it is; on the machine itself nobody is asked."""

TAGS = [
    {"name": "devices", "description": "Where each device is, and where it has been."},
    {"name": "positions", "description": "Positions over HTTP, for devices without MQTT."},
    {"name": "telephones", "description": "Positions as the apps of telephones send them (docs/phones.md)."},
    {"name": "events", "description": "Who crossed which line, when and where."},
    {"name": "geofences", "description": "The lines."},
    {"name": "rejects", "description": "What could not be taken, and why."},
    {"name": "alerts", "description": "Who was told."},
    {"name": "rewinding", "description": "What is needed to evaluate the past again."},
    {
        "name": "trackers and collections",
        "description": "A tracker holds devices, a collection geofences; linked, the tracker watches these.",
    },
    {"name": "access", "description": "Who may call, and who changed what."},
    {"name": "service", "description": "Whether it lives, is ready, and how it does."},
]

router = APIRouter(include_in_schema=False)

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
NO_ICON = "data:,"


def describe(app: FastAPI) -> None:
    """Makes the app's OpenAPI document ours."""
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(_document(app))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual extends its document


@router.get("/docs")
def docs() -> Response:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Overfly API",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url=NO_ICON,
        swagger_ui_parameters={"validatorUrl": None, "defaultModelsExpandDepth": 0, "tryItOutEnabled": True},
    )
    page.headers["Content-Security-Policy"] = CONTENT_POLICY
    return page


@router.get("/docs/swagger-ui-bundle.js")
def docs_script() -> Response:
    return _asset("swagger-ui-bundle.js")


@router.get("/docs/swagger-ui.css")
def docs_style() -> Response:
    return _asset("swagger-ui.css")


def _asset(name: str) -> Response:
    """A part of Swagger UI, which the distribution fastapi-offline carries."""
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "max-age=86400"})


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    _, components = json.schema_components(SHAPES, ref_template="#/components/schemas/{name}")
    document["components"] = {
        "schemas": {**components, "GeofenceFeature": geofences.GEOFENCE_FEATURE},
        "securitySchemes": SECURITY,
    }
    document["security"] = [*({name: []} for name in SECURITY), {}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _tidy(operation)
            found = RULES.find(method.upper(), path)
            assert found is not None  # noqa: S101 - a test holds routes and rules together
            _say_who_may(operation, found.rule)
    return document


def _say_who_may(operation: dict[str, Any], rule: Rule) -> None:
    if rule.scope is None:
        operation["security"] = []
        return
    operation["responses"] |= {str(status): said for status, said in documented(401, 403, 429).items()}
    needs = f"Needs the scope `{rule.scope}`" + (", and a key without tags" if rule.untagged else "")
    operation["description"] = f"{operation['description']}\n\n{needs}.".strip()


def _tidy(operation: dict[str, Any]) -> None:
    """Takes what FastAPI supposes out of an operation, and makes the docstring's first line its summary."""
    operation["responses"].pop("422", None)  # ours are 400
    for response in operation["responses"].values():
        content = response.get("content", {})
        if len(content) > 1 and content.get("application/json") == {"schema": {}}:
            del content["application/json"]
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    operation["summary"], _, operation["description"] = operation["description"].partition("\n\n")


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter may be left out, but is never null."""
    if "anyOf" not in schema:
        return schema
    (kind,) = (each for each in schema["anyOf"] if each != {"type": "null"})
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kind}
