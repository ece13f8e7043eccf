"""What is wrong with the queue, and what would be right; nothing is received, sent or changed."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from ingest.aws.clients import is_fifo, queue_url, region_of_queue
from ingest.aws.faults import AwsError, denied, sentence
from ingest.aws.limits import BODY_BYTES
from service.doctor.finding import Finding
from service.doctor.remedy import NETWORK, gone, remedy, unreachable
from service.doctor.window import queue_window_finding

LEAST_RECEIVES: Final = 3
"""A restart or a killed reader counts as a receipt, without any fault of the message."""


def queue_findings(
    client: Any, url: str, reorder_seconds: float, *, reads: bool, dead_letters: str | None = None
) -> Iterator[Finding]:
    """client: boto3's of SQS. reads: the queue is to be read here, not only filled by the bridge.
    dead_letters: URL of the dead-letter queue that the settings name, beside that of the redrive policy.
    """
    try:
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except AwsError as error:
        if not denied(error) or remedy(error):
            yield Finding("queue", "fault", _fault(error, client, url))
            return
        yield _unseen(url)
        found = {}
    else:
        kind = "FIFO, keeps order" if is_fifo(url) else "standard"
        waits = f"{int(found['ApproximateNumberOfMessages']):,} messages wait"
        yield Finding("queue", "ok", f"{url}: {kind}; keeps messages {_days(found)}; {waits}")
    if reads:
        yield _rights(client, url)
    if found:
        yield from _size(found)
    if reads and not is_fifo(url):
        visibility = int(found["VisibilityTimeout"]) if found else None
        yield queue_window_finding(reorder_seconds, visibility)
    if found:
        yield from _redrive(found, named=dead_letters is not None)
    policy = json.loads(found.get("RedrivePolicy", "{}"))
    yield from _dead_letters(client, dead_letters, policy.get("deadLetterTargetArn"))


def _fault(error: BaseException, client: Any, url: str) -> str:
    """What stands in the way of any request to this queue, and what would be right."""
    if gone(error):
        account, name = url.rsplit("/", 2)[-2:]
        where = f"no queue {name} in region {client.meta.region_name} of account {account}"
        region = "" if region_of_queue(url) else " or AWS_REGION"
        return f"{where} ({client.meta.endpoint_url} says so): make it, or mend OVERFLY_QUEUE_URL{region}"
    if unreachable(error):
        return f"{url}: {sentence(error)}; {NETWORK}"
    return f"{url}: {sentence(error)}; {remedy(error) or 'mend OVERFLY_QUEUE_URL'}"


def _size(found: Mapping[str, str]) -> Iterator[Finding]:
    size = int(found["MaximumMessageSize"])
    if size < BODY_BYTES:
        yield Finding(
            "queue size",
            "warning",
            f"takes messages of up to {size:,} bytes: a larger payload would hold up the bridge and all "
            f"behind it; set MaximumMessageSize={BODY_BYTES}",
        )


def _unseen(url: str) -> Finding:
    detail = f"{url} cannot be looked at: grant sqs:GetQueueAttributes to see its settings here"
    return Finding("queue", "warning", f"{detail}, and how much waits in /metrics")


def _rights(client: Any, url: str) -> Finding:
    """Tries each with what cannot be: who has the right is told that, the others that they have not."""
    nothing = {"Id": "0", "ReceiptHandle": "overfly-doctor"}
    attempts = {
        "sqs:ReceiveMessage": partial(client.receive_message, MaxNumberOfMessages=11),
        "sqs:DeleteMessage": partial(client.delete_message_batch, Entries=[nothing]),
        "sqs:ChangeMessageVisibility": partial(
            client.change_message_visibility_batch, Entries=[{**nothing, "VisibilityTimeout": 30}]
        ),
    }
    missing = []
    for action, attempt in attempts.items():
        try:
            attempt(QueueUrl=url)
        except AwsError as error:
            if denied(error):
                missing.append(action)
            elif not isinstance(error, ClientError):
                return Finding("queue rights", "fault", sentence(error))
    if missing:
        detail = f"not allowed: {', '.join(missing)}; grant them to the role, and in the queue's policy"
        return Finding("queue rights", "fault", f"{detail} where it is another account's")
    return Finding("queue rights", "ok", "may receive, delete, and keep hidden what is being committed")


def _redrive(found: Mapping[str, str], named: bool) -> Iterator[Finding]:
    if "RedrivePolicy" not in found:
        stays = f"what cannot be handled comes again and again, and is lost after {_days(found)}"
        if named:
            stays = f"OVERFLY_DEAD_LETTER_QUEUE_URL gets what `republish` refuses; else {stays}"
        yield Finding("redrive policy", "warning", f"none: {stays}; give the queue one")
        return
    receives = int(json.loads(found["RedrivePolicy"])["maxReceiveCount"])
    if receives < LEAST_RECEIVES:
        yield Finding(
            "redrive policy",
            "warning",
            f"after {receives} receipts: a restart counts as one, and good messages end in the dead-letter "
            f"queue; set maxReceiveCount to {LEAST_RECEIVES} or more",
        )
    else:
        yield Finding("redrive policy", "ok", f"after {receives} receipts")


def _dead_letters(client: Any, named: str | None, arn: str | None) -> Iterator[Finding]:
    """Of the queue that the settings name, and of that of the redrive policy, which may be the same."""
    if named is not None:
        yield _letters(client, named.rpartition("/")[2], lambda: named)
    if arn is not None:
        account, name = arn.split(":")[-2:]
        if named is None or not named.endswith(f"/{account}/{name}"):
            yield _letters(client, name, lambda: queue_url(client, arn))


def _letters(client: Any, name: str, url: Callable[[], str]) -> Finding:
    try:
        found = client.get_queue_attributes(QueueUrl=url(), AttributeNames=["ApproximateNumberOfMessages"])
    except AwsError as error:
        if denied(error):
            detail = f"{name}; not looked into: grant sqs:GetQueueUrl and sqs:GetQueueAttributes on it"
            return Finding("dead-letter queue", "ok", detail)
        said = "it does not exist" if gone(error) else sentence(error)
        return Finding("dead-letter queue", "fault", f"{name}: {said}; {remedy(error) or 'make it'}")
    count = int(found["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        detail = f"{count:,} messages wait in {name}; `overfly redrive` lists them with their reasons"
        return Finding("dead-letter queue", "warning", detail)
    return Finding("dead-letter queue", "ok", f"{name}, empty")


def _days(found: Mapping[str, str]) -> str:
    return f"{int(found['MessageRetentionPeriod']) / 86_400:g} days"
