"""Where Amazon Location's API says that resources are: the account and region of their ARNs."""

import os
import re
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError

from service.location.arns import HOME, Home
from service.settings import Settings

REGION: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
"""What an ARN may have there."""
PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
"""By how a region begins; others are in HOME's."""


def named_home(settings: Settings) -> Home:
    """The region is that of the clients of AWS where none is set, if they have one that an ARN may have."""
    region = settings.region or os.environ.get("AWS_REGION") or _region_of_boto3() or HOME.region
    if not REGION.fullmatch(region):
        region = HOME.region
    partition = next((PARTITIONS[each] for each in PARTITIONS if region.startswith(each)), HOME.partition)
    return Home(settings.account_id, region, partition)


def _region_of_boto3() -> str | None:
    try:
        return boto3.session.Session().region_name  # type: ignore[no-any-return]  # boto3 has no types
    except BotoCoreError:  # a profile that is not there: who needs it is told by what needs it
        return None
