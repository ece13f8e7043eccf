"""Batches of a Lambda function's SQS event source mapping: their size and the batching window.

ministack stops at 10 messages and never waits. Here, as AWS documents it, a batch goes when it is full, when
it would pass Lambda's 6 MB, or when the window since its first message is over; of a FIFO queue it has at
most 10.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

import json
import time
from typing import Any

from ministack.services import lambda_svc, sqs

FIFO_MESSAGES = 10
BATCH_BYTES = 6_000_000

_waiting_since: dict[str, float] = {}
"""When the first message of the next batch was seen, by queue ARN."""


def amend() -> None:
    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            size = _size(queue, batch_size or 1)
            if not size:
                return []
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            received: list[dict[str, Any]] = sqs._collect_msgs(queue, size, visibility)
            return received

    sqs._receive_messages_for_esm = receive


def _size(queue: dict[str, Any], batch_size: int) -> int:
    """How many messages to take now; 0 while the window is open."""
    arn = queue["attributes"]["QueueArn"]
    most = min(batch_size, FIFO_MESSAGES) if queue["is_fifo"] else batch_size
    count, full = _fitting(queue, most)
    if not count:
        _waiting_since.pop(arn, None)
        return 0
    began = _waiting_since.setdefault(arn, time.monotonic())
    if not full and time.monotonic() - began < _window(arn):
        return 0
    del _waiting_since[arn]
    return count


def _fitting(queue: dict[str, Any], most: int) -> tuple[int, bool]:
    """How many visible messages a batch can hold, and whether it is full with them."""
    now = time.time()
    count = size = 0
    for message in queue["messages"]:
        if message.get("visible_at", now) > now:
            continue
        size += len(json.dumps(message["body"]))
        if count and size > BATCH_BYTES:
            return count, True
        count += 1
        if count == most:
            return count, True
    return count, False


def _window(queue_arn: str) -> float:
    """Seconds that the mapping of this queue gathers."""
    windows = [
        mapping.get("MaximumBatchingWindowInSeconds") or 0
        for _, _, mapping in lambda_svc._iter_all_esms()
        if mapping.get("EventSourceArn") == queue_arn
    ]
    return max(windows, default=0)
