"""Which function answers which request of this face, and how it is called.

A path is taken apart as it came and each of its segments decoded once: an ARN, with its `/` and `:` written
as %2F and %3A, is one segment.
"""

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, unquote_to_bytes

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.caller import IN_SCOPE, Caller
from service.api.amazon_errors import amazon_answer
from service.api.bodies import read_body
from service.api.callers import NOBODY_ASKED
from service.api.problems import TooLarge
from service.api.services import ApiServices
from service.location import (
    collections,
    consumers,
    device_positions,
    evaluations,
    forecast,
    geofences,
    tags,
    trackers,
    verification,
)
from service.location.bodies import most_bytes
from service.location.errors import (
    CANNOT_PARSE,
    UNKNOWN_OPERATION,
    ValidationException,
    answered_error,
    error_of,
)
from service.location.model import Model
from service.location.paths import is_location
from service.location.shapes import Change, Reader, limited, reader, shaper

Answers = Callable[[ApiServices, Mapping[str, Any], Caller], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]
"""An operation: its input in and its output out, by the model's names, and who calls."""

FUNCTIONS: Final[Mapping[str, Answers]] = {
    "CreateTracker": trackers.create_tracker,
    "DescribeTracker": trackers.describe_tracker,
    "UpdateTracker": trackers.update_tracker,
    "DeleteTracker": trackers.delete_tracker,
    "ListTrackers": trackers.list_trackers,
    "AssociateTrackerConsumer": consumers.associate_tracker_consumer,
    "DisassociateTrackerConsumer": consumers.disassociate_tracker_consumer,
    "ListTrackerConsumers": consumers.list_tracker_consumers,
    "CreateGeofenceCollection": collections.create_geofence_collection,
    "DescribeGeofenceCollection": collections.describe_geofence_collection,
    "UpdateGeofenceCollection": collections.update_geofence_collection,
    "DeleteGeofenceCollection": collections.delete_geofence_collection,
    "ListGeofenceCollections": collections.list_geofence_collections,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "PutGeofence": geofences.put_geofence,
    "BatchPutGeofence": geofences.batch_put_geofence,
    "GetGeofence": geofences.get_geofence,
    "ListGeofences": geofences.list_geofences,
    "BatchDeleteGeofence": geofences.batch_delete_geofence,
    "BatchEvaluateGeofences": evaluations.batch_evaluate_geofences,
    "BatchUpdateDevicePosition": device_positions.batch_update_device_position,
    "GetDevicePosition": device_positions.get_device_position,
    "BatchGetDevicePosition": device_positions.batch_get_device_position,
    "GetDevicePositionHistory": device_positions.get_device_position_history,
    "ListDevicePositions": device_positions.list_device_positions,
    "BatchDeleteDevicePositionHistory": device_positions.batch_delete_device_position_history,
    "VerifyDevicePosition": verification.verify_device_position,
    "ForecastGeofenceEvents": forecast.forecast_geofence_events,
}


class LocationRoutes:
    """An ASGI middleware: what is of this face is answered here, all else by the app."""

    def __init__(self, app: ASGIApp, services: ApiServices) -> None:
        self._app = app
        self._services = replace(services, replica=None)  # who writes, reads what was written
        model = limited(services.limits)
        self._routes: dict[tuple[str, int], list[Route]] = defaultdict(list)
        for name, function in FUNCTIONS.items():
            route = _route(model, name, function)
            self._routes[model.operations[name].method, len(route.template)].append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_location(scope):
            await self._app(scope, receive, send)
            return
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        declared: Sequence[str] = ()
        try:
            route, path = self._routed(request)
            declared = route.reader.operation.errors
            body = await read_body(request, most_bytes(route.name))
            said = route.reader.read(path, _query(request.scope["query_string"]), body)
            output = await self._called(route, said, request.scope.get(IN_SCOPE, NOBODY_ASKED))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody listens
        except TooLarge as error:
            return answered_error(ValidationException(str(error), CANNOT_PARSE))
        except Exception as error:  # all become one of the model's errors, the unforeseen logged
            return answered_error(error_of(error, declared))
        return amazon_answer(route.shaper(output), route.reader.operation.status)

    async def _called(self, route: "Route", said: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        if route.waits:
            output = route.function(self._services, said, caller)
        else:
            output = await run_in_threadpool(route.function, self._services, said, caller)
        return await output if inspect.isawaitable(output) else output

    def _routed(self, request: Request) -> tuple["Route", Mapping[str, str]]:
        """Raises ValidationException."""
        segments = _segments(request.scope)
        for route in self._routes.get((request.method, len(segments)), ()):
            path = route.matched(segments)
            if path is not None:
                return route, path
        asked = f"{request.method} {request.scope['path']}"
        said = f"there is no operation {asked} here, only those for trackers, geofences and tags"
        raise ValidationException(said, UNKNOWN_OPERATION)


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and what answers it; `waits`: on the event loop, where it awaits what takes time.

    `template` are the path's segments, of which those in braces are named so.
    """

    name: str
    function: Answers
    waits: bool
    reader: Reader
    shaper: Change
    template: tuple[str, ...]

    def matched(self, segments: Sequence[str]) -> Mapping[str, str] | None:
        """The named segments, where as many are a path of the operation."""
        named = {}
        for expected, given in zip(self.template, segments, strict=True):
            if expected.startswith("{"):
                named[expected[1:-1]] = given
            elif expected != given:
                return None
        return named


def _route(model: Model, name: str, function: Answers) -> Route:
    template = tuple(model.operations[name].path.split("/"))
    waits = inspect.iscoroutinefunction(function)
    return Route(name, function, waits, reader(model, name), shaper(model, name), template)


def _segments(scope: Scope) -> list[str]:
    """Raises ValidationException."""
    try:
        return [unquote_to_bytes(each).decode() for each in scope["raw_path"].split(b"/")]
    except UnicodeDecodeError:
        raise ValidationException("the path is not UTF-8", CANNOT_PARSE) from None


def _query(raw: bytes) -> Mapping[str, Sequence[str]]:
    """Raises ValidationException."""
    if not raw:
        return {}
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError:
        raise ValidationException("the query is not UTF-8, or too long", CANNOT_PARSE) from None
