"""What is wrong with the queue, and what would be right; nothing is received, sent or changed."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from ingest.aws.clients import is_fifo
from ingest.aws.faults import AwsError, denied, sentence
from ingest.aws.limits import BODY_BYTES
from service.doctor.finding import Finding
from service.doctor.window import queue_window_finding

LEAST_RECEIVES: Final = 3
"""A restart or a killed reader counts as a receipt, without any fault of the message."""


def queue_findings(client: Any, url: str, reorder_seconds: float, *, reads: bool) -> Iterator[Finding]:
    """client: boto3's of SQS. reads: the queue is to be read here, not only filled by the bridge."""
    try:
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except AwsError as error:
        if not denied(error):
            detail = f"{url}: {sentence(error)}; mend OVERFLY_QUEUE_URL, or make the queue"
            yield Finding("queue", "fault", detail)
            return
        yield _unseen(url)
        found = None
    else:
        kind = "FIFO, keeps order" if is_fifo(url) else "standard"
        waits = f"{int(found['ApproximateNumberOfMessages']):,} messages wait"
        yield Finding("queue", "ok", f"{url}: {kind}; keeps messages {_days(found)}; {waits}")
    if reads:
        yield _rights(client, url)
    if found is not None:
        yield from _size(found)
        if reads and not is_fifo(url):
            yield queue_window_finding(reorder_seconds, int(found["VisibilityTimeout"]))
        yield from _redrive(client, found)


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


def _redrive(client: Any, found: Mapping[str, str]) -> Iterator[Finding]:
    if "RedrivePolicy" not in found:
        yield Finding(
            "dead-letter queue",
            "warning",
            f"none: what cannot be handled comes again and again, and is lost after {_days(found)}; "
            "give the queue a redrive policy",
        )
        return
    policy = json.loads(found["RedrivePolicy"])
    receives, arn = int(policy["maxReceiveCount"]), str(policy["deadLetterTargetArn"])
    name = arn.rpartition(":")[2]
    if receives < LEAST_RECEIVES:
        yield Finding(
            "dead-letter queue",
            "warning",
            f"{name} after {receives} receipts: a restart counts as one, and good messages end there; "
            f"set maxReceiveCount to {LEAST_RECEIVES} or more",
        )
    yield _dead_letters(client, name, arn.split(":")[4], receives)


def _dead_letters(client: Any, name: str, account: str, receives: int) -> Finding:
    try:
        url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    except AwsError as error:
        if denied(error):
            return Finding("dead-letter queue", "ok", f"{name}, after {receives} receipts; not looked into")
        return Finding("dead-letter queue", "fault", f"{name}: {sentence(error)}; make it")
    count = int(found["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        detail = f"{count:,} messages wait in {name}; `overfly redrive` lists them with their reasons"
        return Finding("dead-letter queue", "warning", detail)
    return Finding("dead-letter queue", "ok", f"{name}, after {receives} receipts; empty")


def _days(found: Mapping[str, str]) -> str:
    return f"{int(found['MessageRetentionPeriod']) / 86_400:g} days"
