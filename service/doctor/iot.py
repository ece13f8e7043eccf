"""Whether AWS IoT Core answers where `republish` publishes; nothing is published."""

from collections.abc import Callable
from typing import Any, Final

from ingest.aws.clients import AwsClientError
from ingest.aws.faults import AwsError, denied, sentence
from service.doctor.finding import Finding
from service.doctor.remedy import remedy

SUBJECT: Final = "AWS IoT"


def iot_finding(connect: Callable[[], Any], *, chosen: bool) -> Finding:
    """connect: gives boto3's client of iot-data, and may ask AWS for its endpoint first. chosen: the settings
    name AWS IoT; else it is only where `republish` would publish, and a tracker needs no right to it.
    """
    try:
        client = connect()
    except (*AwsError, AwsClientError) as error:
        if denied(error) and not chosen:
            detail = "not looked at: `republish`, if it is to run here, needs iot:DescribeEndpoint"
            return Finding(SUBJECT, "ok", f"{detail} or OVERFLY_IOT_ENDPOINT")
        detail = (
            f"its endpoint is not known: {sentence(error)}; {remedy(error) or 'set OVERFLY_IOT_ENDPOINT'}"
        )
        return Finding(SUBJECT, "fault" if chosen else "warning", detail)
    url = client.meta.endpoint_url
    try:
        client.list_retained_messages(maxResults=1)
    except AwsError as error:
        if not denied(error):  # who may not list them may publish all the same
            detail = f"{url}: {sentence(error)}; {remedy(error) or 'mend OVERFLY_IOT_ENDPOINT'}"
            return Finding(SUBJECT, "fault" if chosen else "warning", detail)
    return Finding(SUBJECT, "ok", f"{url} answers")
