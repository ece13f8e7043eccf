"""Why a request is turned away: a status and a sentence, and the same as Amazon's services say it.

AccessRefused
├── Unauthenticated      who calls is not known
│   ├── NoCredentials
│   ├── UnknownKey       no such key, or one that was revoked; a token that is not good
│   ├── ExpiredKey       was good
│   ├── WrongSignature   of another secret, another request, or another time
│   └── BadSignature     cannot be taken apart
├── Forbidden            who calls is known, and may not
├── TooFast              may, but not so often
├── TooManyBytes, TooSlow, NoSuchPath

Names and statuses: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from http import HTTPStatus
from typing import ClassVar

from starlette.responses import Response

from service.api.amazon_errors import amazon_error
from service.api.problems import problem
from service.errors import AccessRefused


class _Refusal(AccessRefused):
    """`amazon`: its name and status there."""

    status: ClassVar[HTTPStatus]
    amazon: ClassVar[tuple[str, HTTPStatus]]
    retry_seconds: float | None = None


class Unauthenticated(_Refusal):
    """Who calls is not known."""

    status = HTTPStatus.UNAUTHORIZED
    amazon = "UnrecognizedClientException", HTTPStatus.FORBIDDEN
    challenge = 'Bearer realm="overfly"'


class NoCredentials(Unauthenticated):
    """Nothing says who calls."""

    amazon = "MissingAuthenticationTokenException", HTTPStatus.FORBIDDEN


class UnknownKey(Unauthenticated):
    """What says who calls is not ours, or no longer good."""

    challenge = 'Bearer realm="overfly", error="invalid_token"'


class ExpiredKey(UnknownKey):
    """It was good until a time that has passed."""

    amazon = "ExpiredTokenException", HTTPStatus.FORBIDDEN


class WrongSignature(Unauthenticated):
    """A signature of another secret, another request or another time."""

    amazon = "InvalidSignatureException", HTTPStatus.FORBIDDEN


class BadSignature(Unauthenticated):
    """A signature that cannot be taken apart, or leaves out what must be signed."""

    amazon = "IncompleteSignature", HTTPStatus.BAD_REQUEST


class Forbidden(_Refusal):
    """Who calls is known, and may not."""

    status = HTTPStatus.FORBIDDEN
    amazon = "AccessDeniedException", HTTPStatus.FORBIDDEN


class TooFast(_Refusal):
    """More requests than the caller may send."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    amazon = "ThrottlingException", HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, sentence: str, retry_seconds: float) -> None:
        super().__init__(sentence)
        self.retry_seconds = retry_seconds


class TooBusy(_Refusal):
    """More requests than the service can hold."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    amazon = "InternalServerException", HTTPStatus.SERVICE_UNAVAILABLE
    retry_seconds = 1.0


class TooManyBytes(_Refusal):
    """A body above its limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    amazon = "RequestEntityTooLargeException", HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooSlow(_Refusal):
    """A body that does not come."""

    status = HTTPStatus.REQUEST_TIMEOUT
    amazon = "RequestTimeoutException", HTTPStatus.REQUEST_TIMEOUT


class NoSuchPath(_Refusal):
    """A path that two readers could read in two ways."""

    status = HTTPStatus.NOT_FOUND
    amazon = "UnknownOperationException", HTTPStatus.NOT_FOUND


def answer_of(refusal: AccessRefused, *, amazon: bool, basic: bool = False) -> Response:
    """The answer, as the path's callers read it. basic: a browser shall ask its user for a key."""
    assert isinstance(refusal, _Refusal)  # noqa: S101 - narrows the type: all kinds are above
    headers = {}
    if refusal.retry_seconds is not None:
        headers["Retry-After"] = str(max(1, round(refusal.retry_seconds + 0.5)))
    if refusal.status == HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    if amazon:
        name, status = refusal.amazon
        return amazon_error(name, status, {"message": str(refusal)}, headers)
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = 'Basic realm="overfly"' if basic else refusal.challenge
    return problem(refusal.status, str(refusal), headers=headers)
