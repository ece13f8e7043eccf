"""Clients of SNS, for topics and for text messages."""

import re
from typing import Any, Final

from ingest.aws.clients import AwsClientError, Timeouts, client
from service.dispatch.aws_batches import TIMEOUTS
from service.errors import SettingsError

TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")


def topic_client(topic_arn: str, timeouts: Timeouts = TIMEOUTS) -> Any:
    """A client of SNS where the topic is. Raises SettingsError."""
    match = TOPIC.fullmatch(topic_arn)
    if match is None:
        raise SettingsError(f"{topic_arn!r} is no SNS topic: expected arn:aws:sns:<region>:<account>:<name>")
    return sns_client(match["region"], timeouts)


def sns_client(region: str | None = None, timeouts: Timeouts = TIMEOUTS) -> Any:
    """A client of SNS in the region, or in that of boto3's configuration. Raises SettingsError."""
    try:
        return client("sns", region=region, timeouts=timeouts)
    except AwsClientError as error:
        raise SettingsError(str(error)) from None
