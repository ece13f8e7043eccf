"""What AWS refuses: nearly all is waited out, and said without secrets."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError

from ingest.aws.faults import code_sentence, denied, sentence, temporary, temporary_code


def answered(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SendMessageBatch")


@pytest.mark.parametrize(
    "error",
    [
        *map(
            answered,
            [
                "Throttling",
                "RequestThrottled",
                "500",
                "ServiceUnavailable",
                "ExpiredToken",
                "InvalidClientTokenId",
                "AccessDenied",
                "AWS.SimpleQueueService.NonExistentQueue",
                "QueueDoesNotExist",
                "KmsDisabled",
                "OverLimit",
                "",
            ],
        ),
        NoCredentialsError(),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
    ids=str,
)
def test_what_passes_or_an_operator_mends_is_waited_out(error: Exception) -> None:
    assert temporary(error)


@pytest.mark.parametrize(
    "error",
    [
        *map(answered, ["InvalidMessageContents", "BatchRequestTooLong", "InvalidParameterValue"]),
        answered("AWS.SimpleQueueService.BatchRequestTooLong"),
        ParamValidationError(report="Missing required parameter"),
    ],
    ids=str,
)
def test_content_that_cannot_be_stays_refused(error: Exception) -> None:
    assert not temporary(error)
    assert not temporary_code("InvalidMessageContents")


@pytest.mark.parametrize(
    "code",
    [
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.AccessDenied",
        "AuthorizationError",
        "ForbiddenException",
        "UnauthorizedException",
    ],
)
def test_each_services_word_for_a_missing_right_is_known(code: str) -> None:
    assert denied(answered(code))


@pytest.mark.parametrize(
    "error", [*map(answered, ["ExpiredToken", "QueueDoesNotExist", ""]), NoCredentialsError()], ids=str
)
def test_who_has_no_valid_key_or_no_queue_is_not_denied(error: Exception) -> None:
    assert not denied(error)


def test_an_error_of_ours_is_not_taken_for_one_of_aws() -> None:
    assert not temporary(KeyError("Messages"))


def test_a_sentence_says_what_was_asked_and_why_not() -> None:
    error = answered("AccessDenied", "User: arn:aws:iam::1:user/a is\n not authorized")

    assert sentence(error) == "SendMessageBatch: AccessDenied: User: arn:aws:iam::1:user/a is not authorized"


def test_a_sentence_repeats_no_secret() -> None:
    signed = answered("SignatureDoesNotMatch", "The Canonical String ... x-amz-security-token:GEHEIM")
    endpoint = EndpointConnectionError(endpoint_url="http://user:GEHEIM@127.0.0.1:1/")

    assert "GEHEIM" not in sentence(signed) + sentence(endpoint)
    assert sentence(endpoint) == 'Could not connect to the endpoint URL: "http://127.0.0.1:1/"'


def test_a_sentence_has_an_end() -> None:
    assert len(code_sentence("InternalError", "long " * 1000)) < 410


def test_password_with_a_slash_or_a_second_at_is_taken_out_whole() -> None:
    said = sentence(EndpointConnectionError(endpoint_url="https://user:hun/t@er2@example.com/x"))

    assert "https://example.com/x" in said
    assert "hun" not in said
    assert "er2" not in said
