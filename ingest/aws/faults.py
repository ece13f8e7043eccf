"""What AWS answers when it does not do what was asked.

Nearly all of it passes, or an operator mends it: throttling, a server's failure, no network, credentials
that have expired, a right that is not granted yet, a queue that does not exist yet. The hops wait all that
out and say it; nothing is lost meanwhile. What stays refused is a request whose content cannot be.
"""

import re
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

AwsError = (BotoCoreError, ClientError, ResponseParserError)
"""What boto3's requests raise; the last of an answer that is none of AWS's, such as a proxy's."""

SENTENCE_CHARACTERS: Final = 400


def temporary(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, ClientError):
        return temporary_code(_code(error))
    return isinstance(error, AwsError) and not isinstance(error, ParamValidationError)


def temporary_code(code: str) -> bool:
    """The same of an error's code, as an entry of a batch carries it."""
    return code.rpartition(".")[2] not in _OF_THE_CONTENT


def denied(error: BaseException) -> bool:
    """Whether a right is missing: the same would be done for somebody who has it."""
    return isinstance(error, ClientError) and _code(error).rpartition(".")[2] in _DENIED


def sentence(error: BaseException) -> str:
    """What is wrong, for people, on one line, without secrets."""
    if not isinstance(error, ClientError):
        return _tidied(str(error) or type(error).__name__)
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    what = code_sentence(_code(error) or f"HTTP {status}", str(said.get("Message") or ""))
    return f"{error.operation_name}: {what}"


def code_sentence(code: str, message: str | None) -> str:
    """The same of an error's code and message, as an entry of a batch carries them."""
    if code in _SECRETIVE:
        return f"{code}: the secret key does not match the access key, or this clock is wrong"
    return _tidied(f"{code}: {message}" if message else code)


_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",  # SNS
        "ForbiddenException",  # AWS IoT, as the next
        "UnauthorizedException",
    }
)
_OF_THE_CONTENT: Final = frozenset(
    {
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidArgument",
        "InvalidAttributeName",
        "InvalidBatchEntryId",
        "InvalidMessageContents",
        "InvalidParameter",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidRequestException",
        "MalformedDetail",
        "MessageTooLong",
        "MissingParameter",
        "ReceiptHandleIsInvalid",
        "RequestEntityTooLargeException",
        "SerializationException",
        "TooManyEntriesInBatchRequest",
        "UnsupportedOperation",
        "ValidationError",
        "ValidationException",
    }
)
_SECRETIVE: Final = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException"})
"""Their messages repeat the signed request, with its session token."""
_USER: Final = re.compile(r"//\S*@")
_SPACES: Final = re.compile(r"\s+")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code") or "")


def _tidied(text: str) -> str:
    plain = _USER.sub("//", _SPACES.sub(" ", text).strip())
    return plain if len(plain) <= SENTENCE_CHARACTERS else plain[:SENTENCE_CHARACTERS] + "…"
