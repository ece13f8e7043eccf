"""Whether AWS IoT Core answers where `republish` publishes; nothing is published."""

from collections.abc import Callable
from typing import Any, Final

from ingest.aws.clients import AwsClientError
from ingest.aws.faults import AwsError, denied, sentence
from service.doctor.finding import Finding
from service.doctor.remedy import remedy

SUBJECT: Final = "AWS IoT"


def iot_finding(connect: Callable[[], Any]) -> Finding:
    """connect: gives boto3's client of iot-data, and may ask AWS for its endpoint first."""
    try:
        client = connect()
    except (*AwsError, AwsClientError) as error:
        right = remedy(error) or "set OVERFLY_IOT_ENDPOINT"
        return Finding(SUBJECT, "fault", f"its endpoint is not known: {sentence(error)}; {right}")
    url = client.meta.endpoint_url
    try:
        client.list_retained_messages(maxResults=1)
    except AwsError as error:
        if not denied(error):  # who may not list them may publish all the same
            right = remedy(error) or "mend OVERFLY_IOT_ENDPOINT"
            return Finding(SUBJECT, "fault", f"{url}: {sentence(error)}; {right}")
    return Finding(SUBJECT, "ok", f"{url} answers")
