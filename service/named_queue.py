"""The queue that the settings name."""

import re
from dataclasses import dataclass
from typing import Any, Final

from ingest.aws.clients import DEFAULT_TIMEOUTS, AssumedRole, AwsClientError, Timeouts, queue_client
from service.errors import SettingsError
from service.settings import Settings

QUEUE_URL: Final = re.compile(r"https?://[^/@?#\s]+(/[^/@?#\s]+)*/(\d{12})/[-\w]{1,80}(\.fifo)?", re.ASCII)

ROLE_ARN: Final = re.compile(r"arn:aws[-\w]*:iam::\d{12}:role/[-\w+=,.@/]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedQueue:
    """`client` is a boto3 client of SQS, by which nothing has been asked yet."""

    url: str
    client: Any


def named_queue(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> NamedQueue | None:
    """The queue that the settings name. Raises SettingsError."""
    if settings.queue_url is None:
        return None
    if not QUEUE_URL.fullmatch(settings.queue_url):
        raise SettingsError(
            "OVERFLY_QUEUE_URL is no queue's URL: "
            "expected https://sqs.<region>.amazonaws.com/<account>/<name>, without a user in it"
        )
    role = queue_role(settings)
    try:
        return NamedQueue(settings.queue_url, queue_client(settings.queue_url, role=role, timeouts=timeouts))
    except AwsClientError as error:
        raise SettingsError(f"OVERFLY_QUEUE_URL, AWS_*: {error}") from None


def queue_role(settings: Settings) -> AssumedRole | None:
    """The role that the settings name for the queue. Raises SettingsError."""
    external_id = settings.queue_external_id
    if settings.queue_role_arn is None:
        if external_id is not None:
            raise SettingsError("OVERFLY_QUEUE_EXTERNAL_ID needs a role: set OVERFLY_QUEUE_ROLE_ARN too")
        return None
    if not ROLE_ARN.fullmatch(settings.queue_role_arn):
        raise SettingsError(
            "OVERFLY_QUEUE_ROLE_ARN is no role's ARN: expected arn:aws:iam::<account>:role/<name>"
        )
    return AssumedRole(
        settings.queue_role_arn, None if external_id is None else external_id.get_secret_value()
    )
