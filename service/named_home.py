"""Where Amazon Location's API says that resources are: the account and region of their ARNs."""

import boto3

from service.location.arns import HOME, Home
from service.settings import Settings


def named_home(settings: Settings) -> Home:
    """The region is boto3's where none is set."""
    region = settings.region or boto3.session.Session().region_name or HOME.region
    partition = boto3.session.Session().get_partition_for_region(region)
    return Home(settings.account_id, region, partition)
