"""The dead-letter queue: the one that the settings name, else that of the queue's own redrive policy."""

from typing import Any

from ingest.aws.clients import is_fifo, queue_url
from ingest.aws.faults import AwsError, sentence
from ingest.republishing.dead_letters import DeadLetterQueueAway
from service.errors import SettingsError
from service.named_queue import QUEUE_URL
from service.settings import Settings


def dead_letter_queue_url(settings: Settings, client: Any, arn: str | None) -> str | None:
    """Its URL; None where there is none. `arn` is what the redrive policy names.

    Raises SettingsError, and DeadLetterQueueAway where SQS has to be asked.
    """
    check_dead_letter_queue_url(settings)
    if settings.dead_letter_queue_url is not None or arn is None:
        return settings.dead_letter_queue_url
    try:
        return queue_url(client, arn)
    except AwsError as error:
        raise DeadLetterQueueAway(
            f"the dead-letter queue {arn}, which the queue's redrive policy names, cannot be found: "
            f"{sentence(error)} (its URL may also be set: OVERFLY_DEAD_LETTER_QUEUE_URL)"
        ) from None


def check_dead_letter_queue_url(settings: Settings) -> None:
    """Raises SettingsError where the settings name what can be none for their queue."""
    url = settings.dead_letter_queue_url
    if url is None:
        return
    if not QUEUE_URL.fullmatch(url):
        raise SettingsError(
            "OVERFLY_DEAD_LETTER_QUEUE_URL is no queue's URL: "
            "expected https://sqs.<region>.amazonaws.com/<account>/<name>, without a user in it"
        )
    if is_fifo(url) != is_fifo(settings.queue_url or ""):
        raise SettingsError(
            "OVERFLY_DEAD_LETTER_QUEUE_URL: the dead-letter queue of a FIFO queue is a FIFO queue, "
            "that of a standard queue a standard queue"
        )
