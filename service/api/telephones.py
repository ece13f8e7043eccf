"""Positions of telephones, as their own apps send them: the OsmAnd protocol, and OwnTracks in HTTP mode.

An app keeps what was not answered with 2xx, and sends it again before anything newer. So what no repetition
can cure is answered with 200 and listed by GET /v1/rejects, and 4xx is for what can be set right on the
telephone: then nothing that it has measured meanwhile is lost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingest.decoding.decoder import Decode
from ingest.decoding.osmand import SPEED_UNITS, decode_json, decode_parameters, payload_of
from ingest.decoding.owntracks import decode_owntracks
from service.api.answers import JSON, answer, documented_answer
from service.api.bodies import MEBIBYTE, read_body
from service.api.parameters import OfTracker
from service.api.positions import Receipt, fault_of_payload, receipt_of
from service.api.problems import documented, problem
from service.api.services import ApiServices, Services
from service.errors import Refused
from service.outcome import Posted

OSMAND, OWNTRACKS = "/osmand", "/owntracks"
router = APIRouter(tags=["telephones"])

CURABLE = {"bad_device_id", "empty", "bad_json", "bad_encoding", "not_object"}
"""Reasons that something on the telephone can be set right, or that it is none that sends."""
ONCE = {"id", "deviceid", "timestamp", "lat", "lon", "location", "tracker", "speedUnit", "key"}
"""Parameters of which a second one would hide the first."""
OURS = {"tracker", "speedUnit", "key"}
"""Parameters that are none of the position."""
FROM_A_PAGE = {"same-site", "cross-site"}
"""What a browser says in Sec-Fetch-Site when another site's page makes it ask."""
NOTHING_TO_SAY = b"[]"
MOST_FIELDS = 200


class OsmAndParameters(OfTracker):
    """The query; everything that is not named here is kept with the position."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str | None = Field(None, description="id of the device; `deviceid` means the same")
    timestamp: str | None = Field(
        None,
        description="when it was measured: epoch seconds or milliseconds, or ISO 8601, without a zone in UTC",
    )
    lat: str | None = Field(None, description="degrees")
    lon: str | None = Field(None, description="degrees; or both as `location=lat,lon`")
    speed: str | None = Field(None, description="in the unit of `speedUnit`")
    bearing: str | None = Field(None, description="degrees; `heading` means the same")
    altitude: str | None = Field(None, description="metres")
    accuracy: str | None = Field(None, description="metres")
    batt: str | None = Field(None, description="percent")
    key: str | None = Field(
        None, description="an API key, of apps that can be given an address and nothing else; it is not kept"
    )
    speed_unit: str = Field(
        "kn",
        alias="speedUnit",
        description="kn (knots, as Traccar Client says), mps (metres a second, as OsmAnd does), kmh or mph",
        json_schema_extra={"enum": list(SPEED_UNITS)},
    )


class OwnTracksParameters(OfTracker):
    """The query; it counts before what headers say."""

    u: str | None = Field(None, description="the user; the header X-Limit-U when not given")
    d: str | None = Field(None, description="the device; the header X-Limit-D when not given")


ANSWERS: Mapping[int | str, dict[str, Any]] = {
    **documented_answer(Receipt, "Stored; what was refused is named"),
    **documented(400, 403, 404, 413, 503),
}
FORM_OR_JSON: dict[str, Any] = {
    "requestBody": {
        "description": "the parameters as a form, or the JSON of Traccar Client from version 9 on",
        "content": {
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {"location": {"type": "object"}, "device_id": {"type": "string"}},
                }
            },
        },
    }
}
MESSAGE: dict[str, Any] = {
    "requestBody": {
        "description": "a message of OwnTracks; what is no `location` changes nothing",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["_type"],
                    "properties": {
                        "_type": {"type": "string", "examples": ["location"]},
                        "tst": {"type": "integer", "description": "epoch seconds"},
                        "lat": {"type": "number", "description": "degrees"},
                        "lon": {"type": "number", "description": "degrees"},
                        "acc": {"type": "number", "description": "metres"},
                        "alt": {"type": "number", "description": "metres"},
                        "vel": {"type": "number", "description": "km/h"},
                        "cog": {"type": "number", "description": "degrees"},
                        "batt": {"type": "number", "description": "percent"},
                    },
                }
            }
        },
    }
}


@router.get(OSMAND, responses={**ANSWERS})
async def get_osmand(
    request: Request, services: Services, query: Annotated[OsmAndParameters, Query()]
) -> Response:
    """Stores a position that comes in a URL, as OsmAnd and Traccar Client up to version 8 send it.

    A position that is refused is answered with 200, too, and named: the app would send it for ever. 400 means
    that the id or the address on the telephone is to be set right. A page of another site cannot have a
    browser ask this.
    """
    if request.headers.get("sec-fetch-site") in FROM_A_PAGE:
        return problem(HTTPStatus.FORBIDDEN, "a page of another site may not store positions here")
    return await _take_parameters(services, query, request.query_params.multi_items())


@router.post(OSMAND, openapi_extra=FORM_OR_JSON, responses={**ANSWERS})
async def post_osmand(
    request: Request, services: Services, query: Annotated[OsmAndParameters, Query()]
) -> Response:
    """Stores a position of Traccar Client, or of what else speaks the OsmAnd protocol.

    JSON holds one location or an array of them, with speed in metres a second; a form has the parameters that
    the query may have, and the two are taken together. Answers are those of GET.
    """
    body = await read_body(request, MEBIBYTE)
    if body.lstrip()[:1] in (b"{", b"["):
        device = query.id or request.query_params.get("deviceid")
        return await _take(services, body, query.tracker, decode_json(device))
    parameters = [*request.query_params.multi_items(), *_form(body)]
    return await _take_parameters(services, query, parameters)


@router.post(
    OWNTRACKS,
    openapi_extra=MESSAGE,
    responses={
        200: {
            "description": "An empty array",
            "content": {JSON: {"schema": {"type": "array", "items": {}, "maxItems": 0}}},
        },
        **documented(400, 404, 413, 503),
    },
)
async def post_owntracks(
    request: Request,
    services: Services,
    query: Annotated[OwnTracksParameters, Query()],
    x_limit_u: Annotated[str | None, Header(description="the user")] = None,
    x_limit_d: Annotated[str | None, Header(description="the device")] = None,
) -> Response:
    """Stores a location that OwnTracks sends in HTTP mode; the device's id is `<user>-<device>`.

    The answer is an empty array: there is nothing that the app is told. A location that is refused is
    answered so, too, and listed by GET /v1/rejects: the app would send it for ever. 400 means that user or
    device on the telephone is to be set right.
    """
    body = await read_body(request, MEBIBYTE)
    if body:  # a friend that is deleted in the app is a message without content
        decode = decode_owntracks(query.u or x_limit_u, query.d or x_limit_d)
        await _post(services, body, query.tracker, decode)
    return Response(NOTHING_TO_SAY, media_type=JSON)


async def _take_parameters(
    services: ApiServices, query: OsmAndParameters, parameters: Iterable[tuple[str, str]]
) -> Response:
    if query.speed_unit not in SPEED_UNITS:
        raise Refused(f"speedUnit {query.speed_unit!r}: expected one of {', '.join(SPEED_UNITS)}")
    sent = [(name, value) for name, value in parameters if name not in OURS]
    twice = [name for name, count in Counter(name for name, _ in sent).items() if count > 1 and name in ONCE]
    if twice:
        raise Refused(f"{', '.join(twice)}: given more than once")
    return await _take(services, payload_of(sent), query.tracker, decode_parameters(query.speed_unit))


async def _take(services: ApiServices, payload: bytes, tracker: str | None, decode: Decode) -> Response:
    posted = await _post(services, payload, tracker, decode)
    return answer(receipt_of(posted))


async def _post(services: ApiServices, payload: bytes, tracker: str | None, decode: Decode) -> Posted:
    """Raises FaultyBody for what can be set right on the telephone."""
    name = tracker or services.default_tracker
    posted = await run_in_threadpool(services.tracker.post, payload, name, None, decode)
    if any(each.reason in CURABLE for each in posted.rejects):
        raise fault_of_payload(posted.rejects[0].detail, posted)
    return posted


def _form(body: bytes) -> list[tuple[str, str]]:
    """Raises Refused."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeDecodeError among them
        raise Refused(f"body: expected JSON, or a form of at most {MOST_FIELDS} fields in UTF-8") from None
