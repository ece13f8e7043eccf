"""boto3's clients of Amazon Location, at a server of ours."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def location_client(url: str, *, checking: bool = True, prefixed: bool = False) -> Any:
    """One that tries once. checking: whether it looks at parameters itself, before it sends them."""
    config = Config(
        inject_host_prefix=prefixed, parameter_validation=checking, retries={"total_max_attempts": 1}
    )
    return boto3.client(
        "location",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=config,
    )


def error_of(error: ClientError) -> tuple[str, int]:
    """The code and the status of what a client raised."""
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return error.response["Error"]["Code"], status
