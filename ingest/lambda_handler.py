"""The republisher as an AWS Lambda function behind an SQS event source with ReportBatchItemFailures.

Configured by environment: OVERFLY_IOT_ENDPOINT (asked of AWS IoT when unset), OVERFLY_REPUBLISH_SINGLY
(`true`: each position to its device's own topic instead of arrays, for an IoT rule with a Location action,
which takes one), and OVERFLY_DEAD_LETTER_QUEUE_URL. Without the last a message that cannot be delivered is
reported as failed, and the queue's own redrive policy puts it aside in the end, without a reason.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingest.aws.clients import Timeouts, queue_client
from ingest.republishing.courier import Courier
from ingest.republishing.dead_letters import DeadLetterQueue
from ingest.republishing.iot_destination import IotDestination, iot_client
from ingest.republishing.queue_batch import QueueBatch

PUT_ASIDE_MILLISECONDS: Final = 3500
ANSWER_MILLISECONDS: Final = 3000
"""What is kept of the function's time to put aside and to answer: a time-out would fail the whole batch. A
request to the dead-letter queue that begins in time ends in time.
"""
IOT_TIMEOUTS: Final = Timeouts(connect=2.0, read=5.0)
QUEUE_TIMEOUTS: Final = Timeouts(connect=1.0, read=1.5)
PATIENCE: Final = 0.25


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """The messages of the batch that are to come again. They failed, or the time ran short; on a FIFO queue
    also all after them of their group.

    Raises what a request died of, where that is no answer of AWS: the whole batch comes again.
    """
    means = _means()
    records = event["Records"]
    batch = QueueBatch(
        [record["messageId"] for record in records],
        [record.get("attributes", {}).get("MessageGroupId") for record in records],
        [record["body"] for record in records],
        singly=means.singly,
    )
    means.courier.hand_in(batch.consignment)
    try:
        while not batch.consignment.done.is_set() and _has(PUT_ASIDE_MILLISECONDS, context):
            means.courier.turn(PATIENCE)
    except BaseException:
        _means.cache_clear()  # its courier waits for an answer that will not come
        raise
    batch.consignment.withdrawn = True
    put_aside = batch.put_aside(means.dead_letters, lambda: _has(ANSWER_MILLISECONDS, context))
    failed = [record["messageId"] for record, done in zip(records, batch.done(), strict=True) if not done]
    _log(means, len(records), len(failed), len(put_aside))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


@dataclass(frozen=True, slots=True)
class _Means:
    courier: Courier
    dead_letters: DeadLetterQueue | None
    singly: bool


@functools.cache
def _means() -> _Means:
    """Made at the first call, and kept while Lambda keeps this process."""
    endpoint, url = os.environ.get("OVERFLY_IOT_ENDPOINT"), os.environ.get("OVERFLY_DEAD_LETTER_QUEUE_URL")
    return _Means(
        Courier(IotDestination(lambda: iot_client(endpoint, IOT_TIMEOUTS))),
        DeadLetterQueue(queue_client(url, timeouts=QUEUE_TIMEOUTS), url) if url else None,
        os.environ.get("OVERFLY_REPUBLISH_SINGLY") == "true",
    )


def _has(milliseconds: int, context: Any) -> bool:
    left: int = context.get_remaining_time_in_millis()
    return left > milliseconds


def _log(means: _Means, messages: int, failed: int, put_aside: int) -> None:
    """A line of JSON, which CloudWatch Logs can filter by its members."""
    problem = means.courier.problem or (means.dead_letters.problem if means.dead_letters else None)
    line = {
        "event": "republish.batch",
        "messages": messages,
        "failed": failed,
        "dead_letters": put_aside,
        **({"problem": problem} if problem else {}),
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - how a Lambda function logs
