"""AWS IoT Core's Publish by HTTPS, as `boto3.client("iot-data")` and `aws iot-data publish` send it.

https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html; there is no broker behind it:
what is published goes to the tracker as if it had come from a topic that it subscribes to.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response
from msgspec import Meta
from starlette.concurrency import run_in_threadpool

from ingest.mqtt.filters import is_heard
from ingest.republishing.bodies import ARRAY_BYTES
from service.api.amazon_errors import amazon_answer, amazon_error
from service.api.answers import Shape, documented_answer
from service.api.bodies import read_body
from service.api.problems import TooLarge
from service.api.services import ApiServices, Services
from service.errors import CannotNow, Refused, TheirFault
from service.outcome import Posted

TOPICS = "/topics"
router = APIRouter(prefix=TOPICS, tags=["positions"])

LIMIT = ARRAY_BYTES
"""Bytes of a payload: AWS IoT's limit."""
VALUES: Mapping[str, tuple[str, ...]] = {"qos": ("0", "1"), "retain": ("true", "false")}
"""What parameters of the query may be; what else AWS knows changes nothing of what is stored."""
NOT_PUBLISHED = frozenset("+#\0")
"""Wildcards of filters, and what MQTT has in no topic."""

ERRORS: Mapping[type[Exception], tuple[str, HTTPStatus]] = {
    TooLarge: ("RequestEntityTooLargeException", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    TheirFault: ("InvalidRequestException", HTTPStatus.BAD_REQUEST),
    CannotNow: ("ServiceUnavailableException", HTTPStatus.SERVICE_UNAVAILABLE),
}
"""An error is the first of its classes, from itself upwards, that is listed."""


class Published(Shape, frozen=True):
    """AWS IoT's answer."""

    message: Annotated[str, Meta(description="OK, or what was wrong and what would be right")]
    trace_id: Annotated[str, Meta(description="an id of this answer alone")]


PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "qos",
            "in": "query",
            "description": "0 or 1; either is answered when it is stored",
            "schema": {"type": "string", "enum": list(VALUES["qos"])},
        },
        {
            "name": "retain",
            "in": "query",
            "description": "changes nothing: the latest position of each device is kept anyway",
            "schema": {"type": "string", "enum": list(VALUES["retain"])},
        },
    ],
    "requestBody": {
        "description": "a payload as for POST /v1/positions, up to 128 KiB; a topic "
        "aircraft/<deviceId>/position gives it its deviceId",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}


@router.post(
    "/{topic:path}",
    openapi_extra=PARAMETERS,
    responses={
        **documented_answer(Published, "Stored, at least in part"),
        **documented_answer(Published, "InvalidRequestException", status=400),
        **documented_answer(Published, "RequestEntityTooLargeException", status=413),
        **documented_answer(Published, "ServiceUnavailableException", status=503),
    },
)
async def publish(
    request: Request,
    services: Services,
    topic: Annotated[str, Path(description="percent-encoded; one that OVERFLY_TOPICS covers")],
) -> Response:
    """Publishes to a topic, as AWS IoT Core's HTTPS endpoint does. 200 means stored; evaluation follows.

    `boto3.client("iot-data", endpoint_url=...)` sends this. A payload of which nothing was taken is answered
    with 400 and its reason; where only some items were refused they are listed by GET /v1/rejects, as all
    are.
    """
    try:
        _check(topic, request.query_params, services)
        payload = await read_body(request, LIMIT)
        posted = await run_in_threadpool(services.tracker.post, payload, services.default_tracker, topic)
        _refuse_nothing_taken(posted)
    except (TheirFault, CannotNow) as error:
        return _error(error)
    return amazon_answer(_said("OK"), HTTPStatus.OK)


@router.api_route("/{topic:path}", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def not_allowed(topic: str) -> Response:
    """What AWS IoT answers to any other method."""
    said = _said(f"topic {topic!r}: expected POST")
    return amazon_error("MethodNotAllowedException", HTTPStatus.METHOD_NOT_ALLOWED, said, {"Allow": "POST"})


def _check(topic: str, query: Mapping[str, str], services: ApiServices) -> None:
    if not topic or not NOT_PUBLISHED.isdisjoint(topic):
        raise Refused(f"topic {topic!r}: expected one without '+', '#' and NUL")
    if not is_heard(topic, services.topics):
        raise Refused(
            f"topic {topic!r}: nothing is read from it here; expected one that OVERFLY_TOPICS covers "
            f"({', '.join(services.topics)})"
        )
    for name, values in VALUES.items():
        value = query.get(name, values[0])
        if value not in values:
            raise Refused(f"{name} {value!r}: expected {' or '.join(values)}")


def _refuse_nothing_taken(posted: Posted) -> None:
    if posted.rejects and not posted.accepted and not posted.duplicates:
        first, *others = posted.rejects
        more = f" (and {len(others)} more: GET /v1/rejects)" if others else ""
        raise Refused(f"{first.reason}: {first.detail}{more}")


def _error(error: Exception) -> Response:
    name, status = next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
    return amazon_error(name, status, _said(str(error)))


def _said(message: str) -> Published:
    return Published(message, str(uuid4()))
