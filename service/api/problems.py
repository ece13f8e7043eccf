"""Problem documents (RFC 9457): one table from what went wrong to a status.

`type` is always about:blank, so `title` is the status's own phrase; `detail` says what was wrong and what
would be right; `errors`, where there can be several faults, names each with a short stable `reason`.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from msgspec import UNSET, Meta, Struct, UnsetType, json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from geofence.faults import InvalidGeofences
from ingest import identifiers
from service.errors import CannotNow, Conflict, NotFound, OverflyError, Refused, TheirFault

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2


class TooLarge(TheirFault):
    """A body above its limit."""


class FaultyBody(Refused):
    """A body with faults that are named one by one."""

    def __init__(self, detail: str, errors: Sequence[Mapping[str, object]]) -> None:
        super().__init__(detail)
        self.errors = errors


STATUSES: Mapping[type[OverflyError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TheirFault: HTTPStatus.BAD_REQUEST,
    CannotNow: HTTPStatus.SERVICE_UNAVAILABLE,
    OverflyError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""An error has the status of the first of its classes, from itself upwards, that is listed."""

INVALID_PARAMETERS = {
    "extra_forbidden": ("unknown_parameter", "{name} is not a parameter here; /docs lists those there are"),
    "string_pattern_mismatch": ("bad_name", "{name}: " + identifiers.EXPECTED),
    "int_parsing": ("bad_value", "{name}: expected a whole number"),
    "greater_than_equal": ("bad_value", "{name}: expected at least {ge}"),
    "less_than_equal": ("bad_value", "{name}: expected at most {le}"),
    "literal_error": ("bad_value", "{name}: expected {expected}"),
    "value_error": ("bad_value", "{name}: {error}"),
}
"""pydantic's type of an error -> our reason and sentence; others are `bad_value` with pydantic's sentence."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    title: Annotated[str, Meta(description="the status's phrase", examples=["Bad Request"])]
    status: Annotated[int, Meta(examples=[400])]
    detail: Annotated[str, Meta(description="what was wrong, and what would be right")]
    errors: Annotated[
        list[dict[str, Any]] | UnsetType,
        Meta(description="each fault with its `reason`, `detail` and where it is"),
    ] = UNSET
    type: Annotated[str, Meta(description="`title` and `status` say what kind of problem it is")] = (
        "about:blank"
    )


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, object]] | UnsetType = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document as the answer."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors is not UNSET:
        document["errors"] = errors
    return Response(json.encode(document), status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of these statuses, for a route's documentation."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answer_with_problems(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""
    app.add_exception_handler(OverflyError, _our_own)
    app.add_exception_handler(InvalidGeofences, _invalid_geofences)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(ClientDisconnect, _nobody_listens)
    app.add_exception_handler(Exception, _unforeseen)


def _our_own(_: Request, error: Exception) -> Response:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    errors = error.errors if isinstance(error, FaultyBody) else UNSET
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, str(error), errors, headers)


def _invalid_geofences(_: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidGeofences)  # noqa: S101 - narrows the type for what it is registered for
    errors = [
        {
            "feature": fault.feature,
            "geofenceId": fault.geofence_id,
            "ring": fault.ring,
            "vertex": fault.vertex,
            "reason": fault.reason,
            "detail": fault.detail,
        }
        for fault in error.faults
    ]
    count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
    return problem(HTTPStatus.BAD_REQUEST, f"nothing was stored: {count}, see errors", errors)


def _invalid_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    errors = [_parameter_fault(fault) for fault in error.errors()]
    return problem(HTTPStatus.BAD_REQUEST, "; ".join(str(each["detail"]) for each in errors), errors)


def _parameter_fault(fault: Mapping[str, Any]) -> dict[str, object]:
    name = str(fault["loc"][-1])
    reason, sentence = INVALID_PARAMETERS.get(fault["type"], ("bad_value", "{name}: {msg}"))
    detail = sentence.format(**fault.get("ctx", {}), name=name, msg=fault["msg"])
    return {"in": str(fault["loc"][0]), "parameter": name, "reason": reason, "detail": detail}


def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    path = request.url.path
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(error.status_code, f"there is nothing at {path}; /docs lists what there is")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request.app.openapi()["paths"], path))
        detail = f"{request.method} is not possible at {path}: expected {allowed}"
        return problem(error.status_code, detail, headers={"Allow": allowed})
    return problem(error.status_code, str(error.detail), headers=error.headers)


def _methods(paths: Mapping[str, Mapping[str, object]], path: str) -> list[str]:
    """What is possible at a path: each method there is a route of its own, and routing knows of one only."""
    for template, operations in paths.items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path):
            head = ["HEAD"] if "get" in operations else []
            return sorted([*map(str.upper, operations), *head])
    return ["GET", "HEAD"]  # what is not in the documentation can be read only


def _nobody_listens(_: Request, __: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _unforeseen(_: Request, __: Exception) -> Response:
    detail = "an error that we did not foresee; the server's log has it"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
