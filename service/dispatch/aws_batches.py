"""Requests to AWS that carry up to ten entries, each of which AWS takes or refuses by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ingest.aws.clients import Timeouts
from ingest.aws.faults import AwsError, code_sentence, sentence, temporary, temporary_code
from ingest.aws.limits import REQUEST_ENTRIES
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Temporary
from service.dispatch.visible_text import visible

REQUEST_BYTES: Final = 256 << 10
"""What PutEvents and PublishBatch took from the start, in an entry and in all. Some take 1 MiB now, but what
stands behind the bus or the topic may not."""
AT_ONCE: Final = 4
"""Requests under way at once: their entries are of different devices."""
REASON_LENGTH: Final = 300
TIMEOUTS: Final = Timeouts(connect=3.0, read=10.0)
"""An attempt that hangs keeps a service from stopping."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as boto3 takes it; `key` tells it from others, `size` is bytes as AWS counts them.

    `note`: what is to be said of it when it was taken.
    """

    key: int
    content: Mapping[str, Any]
    size: int
    note: str = ""


class AwsBatches:
    """Sends entries by `send`, which answers for each of up to ten, or raises what boto3 raises."""

    def __init__(
        self, receiver: str, send: Callable[[Sequence[Entry]], Mapping[int, DeliveryOutcome]]
    ) -> None:
        """receiver: what outcomes begin with."""
        self._receiver = receiver
        self._send = send
        self._unreachable = ""
        """Why the rest of these entries is not even tried: each request would wait for its time-out."""
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"overfly {receiver}")

    def outcomes(self, entries: Sequence[Entry]) -> dict[int, DeliveryOutcome]:
        """Sends entries of different devices; answers for all of them, by key."""
        self._unreachable = ""
        outcomes: dict[int, DeliveryOutcome] = {}
        for answered in self._threads.map(self._outcomes, _batches(entries)):
            outcomes |= answered
        unanswered = Temporary(self._said("the answer says nothing of this one"))
        return {each.key: outcomes.get(each.key, unanswered) for each in entries}

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def refusal(self, code: str, message: str | None) -> DeliveryOutcome:
        """What an entry's error code means: a right, a bus or a limit is an operator's to mend."""
        kind = Temporary if temporary_code(code) else Permanent
        return kind(self._said(code_sentence(code, message)))

    def _outcomes(self, batch: Sequence[Entry]) -> Mapping[int, DeliveryOutcome]:
        if self._unreachable:
            return {each.key: Temporary(self._unreachable) for each in batch}
        try:
            return self._send(batch)
        except AwsError as error:
            reason = self._said(sentence(error))
            if temporary(error):
                if not isinstance(error, ClientError):
                    self._unreachable = reason
                return {each.key: Temporary(reason) for each in batch}
        if len(batch) == 1:
            return {batch[0].key: Permanent(reason)}
        outcomes: dict[int, DeliveryOutcome] = {}
        for each in batch:  # one of them makes AWS refuse all
            outcomes |= self._outcomes([each])
        return outcomes

    def _said(self, what: str) -> str:
        return visible(f"{self._receiver}: {what}", REASON_LENGTH)


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for each in entries:
        if batch and (len(batch) == REQUEST_ENTRIES or size + each.size > REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch
