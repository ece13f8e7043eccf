"""A look at a queue that nothing has been sent to yet: whether it is there for us."""

import threading
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from ingest.aws.faults import AwsError, denied, sentence
from ingest.backoff import Backoff

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0
ASKED: Final = "GetQueueAttributes"


class QueueLook:
    """Asks about the queue at `url` until there is an answer, or `over`. From any thread: `there` once the
    queue has answered, and `problem`, a sentence without secrets, while it does not.

    Who only sends need not have the right to ask. Its lack comes after credentials, role, region and
    endpoint have proved right, so it is no problem, nor a sign that the queue is there.
    """

    def __init__(self, client: Any, url: str, over: Callable[[], bool]) -> None:
        self.problem: str | None = None
        self.there = False
        self._client, self._url, self._over = client, url, over
        self._stop = threading.Event()

    def start(self) -> None:
        """In a thread of its own, which does not hold up the end of the process."""
        threading.Thread(target=self._look, name="queue look", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _look(self) -> None:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while not (self._stop.is_set() or self._over() or self._answered()):
            self._stop.wait(backoff.delay())
        self.problem = None

    def _answered(self) -> bool:
        try:
            self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except AwsError as error:
            if isinstance(error, ClientError) and error.operation_name == ASKED and denied(error):
                return True
            self.problem = sentence(error)
            return False
        self.there = True
        return True
