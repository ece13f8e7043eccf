"""What an operator does about a request to AWS that failed before its resource was asked, by the cause."""

from typing import Final

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

ROLE: Final = (
    "mend OVERFLY_QUEUE_ROLE_ARN or OVERFLY_QUEUE_EXTERNAL_ID, or let the role's trust policy and "
    "sts:AssumeRole of these credentials allow it"
)
CREDENTIALS: Final = "set credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID and its secret, or a role of the task"
VALID_CREDENTIALS: Final = (
    "these credentials are not valid here: mend AWS_PROFILE, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
    "and AWS_SESSION_TOKEN"
)
NETWORK: Final = "mend AWS_ENDPOINT_URL, the region (AWS_REGION), or the network"


def remedy(error: BaseException) -> str | None:
    """None where the resource itself answered, or its endpoint did not: of these the caller knows more."""
    if isinstance(error, ParamValidationError) and "RoleArn" in str(error):
        return ROLE
    if isinstance(error, _NO_CREDENTIALS):
        return CREDENTIALS
    if isinstance(error, ClientError):
        if _code(error) in _NOT_VALID:
            return VALID_CREDENTIALS
        if error.operation_name == "AssumeRole":
            return ROLE
    return None


def unreachable(error: BaseException) -> bool:
    """Whether nobody answered at the endpoint."""
    return isinstance(error, (ConnectionError, HTTPClientError))


def gone(error: BaseException) -> bool:
    """Whether SQS has no such queue, which it says in the words of an interface that it left behind."""
    return isinstance(error, ClientError) and _code(error) in ("NonExistentQueue", "QueueDoesNotExist")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code")).rpartition(".")[2]


_NO_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_NOT_VALID: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
