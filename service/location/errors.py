"""What this face answers where it cannot do what was asked, in Amazon's shapes.

Each is one of the model's errors: its class's name is on the wire in the header x-amzn-ErrorType, its members
are in lower case in the body. Overfly's own errors become one of them by TRANSLATIONS.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

import structlog
from starlette.responses import Response

from geofence.faults import InvalidGeofences
from service.api.amazon_errors import amazon_error
from service.errors import AccessRefused, CannotNow, Conflict, NotFound, OverflyError, TheirFault, TooMany
from service.location.model import MODEL

log = structlog.get_logger("overfly")

UNAVAILABLE: Final = 503
RETRY_SECONDS: Final = 2

MISSING: Final = "Missing"
CANNOT_PARSE: Final = "CannotParse"
FIELD_VALIDATION_FAILED: Final = "FieldValidationFailed"
OTHER: Final = "Other"
UNKNOWN_OPERATION: Final = "UnknownOperation"
"""Reasons of a ValidationException; the model has UnknownField, too, for what it ignores."""


NAMED: Final = 3
"""So many of the fields are in the message; all are in fieldList."""


class Field(NamedTuple):
    """A member of a request that is wrong, by its path (`Updates[0].Position`), and how."""

    name: str
    message: str


class ServiceError(OverflyError):
    """One of the model's errors; `code` is its name there."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __init_subclass__(cls) -> None:
        if cls.__name__ in MODEL.shapes:
            cls.code = cls.__name__
            cls.status = MODEL.shapes[cls.code].status or UNAVAILABLE

    def members(self) -> dict[str, Any]:
        return {"message": self.message}


class ValidationException(ServiceError):
    """The input does not fit the operation. The message has the first fields: the AWS CLI shows no others."""

    def __init__(self, message: str, reason: str = OTHER, fields: Sequence[Field] = ()) -> None:
        named = "; ".join(f"{field.name}: {field.message}" for field in fields[:NAMED])
        more = f"; and {len(fields) - NAMED} more" if len(fields) > NAMED else ""
        super().__init__(f"{message}: {named}{more}" if fields else message)
        self.reason = reason
        self.fields = fields

    def members(self) -> dict[str, Any]:
        fields = [{"name": field.name, "message": field.message} for field in self.fields]
        return {**super().members(), "reason": self.reason, "fieldList": fields}


class ResourceNotFoundException(ServiceError):
    """What was named is not there."""


class ConflictException(ServiceError):
    """What was asked cannot be while something else is."""


class AccessDeniedException(ServiceError):
    """The caller may not do this."""


class ServiceQuotaExceededException(ServiceError):
    """There are as many as there may be."""


class ThrottlingException(ServiceError):
    """The caller asks too often."""


class InternalServerException(ServiceError):
    """What we could not do."""


class ServiceUnavailable(InternalServerException):
    """What we could not do now: the same again may succeed."""

    status = UNAVAILABLE


def error_of(error: Exception, declared: Sequence[str]) -> ServiceError:
    """What an operation that declares these errors answers for an error. What nobody foresaw is logged."""
    found = _translated(error)
    undeclared = isinstance(found, TheirKind) and found.code not in declared
    return ValidationException(found.message) if undeclared else found


TheirKind = ResourceNotFoundException | ConflictException | ServiceQuotaExceededException
"""Not each operation has them; where one has not, a ValidationException says the same."""


def _translated(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, InvalidGeofences):
        fields = [Field(fault.geofence_id or "Geometry", fault.detail) for fault in error.faults]
        return ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields)
    kind = next((TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS), None)
    if kind is None:
        log.error("location.unforeseen", exc_info=error)
        return InternalServerException("an error that we did not foresee; the server's log has it")
    # a path of /v1 is no help to who has a client of this face
    return kind(error.sentence if isinstance(error, NotFound) else str(error))


TRANSLATIONS: Final[Mapping[type[Exception], type[ServiceError]]] = {
    AccessRefused: AccessDeniedException,
    NotFound: ResourceNotFoundException,
    TooMany: ServiceQuotaExceededException,
    Conflict: ConflictException,
    TheirFault: ValidationException,
    CannotNow: ServiceUnavailable,
}
"""An error becomes what the first of its classes, from itself upwards, that is listed becomes."""

INVALID: Final = "The input fails to satisfy the constraints specified by the service"


def answered_error(error: ServiceError) -> Response:
    """The error on the wire."""
    again = error.status in (UNAVAILABLE, ThrottlingException("").status)
    headers = {"Retry-After": str(RETRY_SECONDS)} if again else None
    return amazon_error(error.code, error.status, error.members(), headers)
