"""Received messages are ours while they are hidden: deleting them, hiding them longer, showing them again.

A request of SQS takes ten, and does what it is asked of each by itself.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from ingest.aws.faults import code_sentence, temporary_code
from ingest.aws.limits import REQUEST_ENTRIES

NOT_IN_FLIGHT: Final = "MessageNotInflight"
"""The message is shown again, so it is no longer ours to hide."""


class Claim(Protocol):
    """A received message, known to the queue by its receipt handle."""

    @property
    def handle(self) -> str:
        """The latest that the queue gave out for it."""


C = TypeVar("C", bound=Claim)


@dataclass(frozen=True, slots=True)
class Unchanged(Generic[C]):
    """Claims of which the queue did not do what was asked: to try again, and lost (deleted, or shown again).

    `problem` is why, as a sentence; None where all was done.
    """

    to_retry: list[C]
    lost: list[C]
    problem: str | None


def delete(client: Any, url: str, claims: Sequence[C]) -> Unchanged[C]:
    """They are done. Raises AwsError where a whole request fails."""
    return _in_batches(url, claims, client.delete_message_batch, {})


def hide(client: Any, url: str, claims: Sequence[C], seconds: int) -> Unchanged[C]:
    """They stay hidden for so long from now; 0 shows them at once. Raises AwsError as above."""
    return _in_batches(url, claims, client.change_message_visibility_batch, {"VisibilityTimeout": seconds})


def _in_batches(
    url: str, claims: Sequence[C], request: Callable[..., Any], entry: dict[str, int]
) -> Unchanged[C]:
    to_retry: list[C] = []
    lost: list[C] = []
    problem = None
    for start in range(0, len(claims), REQUEST_ENTRIES):
        some = claims[start : start + REQUEST_ENTRIES]
        entries = [
            {"Id": str(place), "ReceiptHandle": claim.handle, **entry} for place, claim in enumerate(some)
        ]
        for failed in request(QueueUrl=url, Entries=entries).get("Failed", []):
            code = str(failed.get("Code", ""))
            gone = not temporary_code(code) or code.endswith(NOT_IN_FLIGHT)
            (lost if gone else to_retry).append(some[int(failed["Id"])])
            problem = code_sentence(code, failed.get("Message"))
    return Unchanged(to_retry, lost, problem)
