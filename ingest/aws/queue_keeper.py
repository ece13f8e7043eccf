"""Deletes from a queue what is done, keeps hidden what is held, and looks at how much waits there."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ingest.aws.claims import delete, hide
from ingest.aws.faults import AwsError, sentence
from ingest.aws.held_messages import Held, HeldMessages
from ingest.aws.limits import REQUEST_ENTRIES
from ingest.backoff import Backoff

LONGEST_HIDDEN: Final = 30
"""Seconds that a message stays hidden after we were killed: the queue's own time-out, but not longer."""
LEAST_HIDDEN: Final = 2
LOOK_SECONDS: Final = 15.0
IDLE_SECONDS: Final = 5.0


class QueueKeeper:
    """Works in a thread of its own: `run`. What is held and `problem` may be read from any.

    `hidden_seconds` is for how long a received message is to be hidden. `depth` is how many messages wait
    in the queue; None where we may not know. `problem` says why messages cannot be deleted or kept hidden.
    """

    def __init__(self, client: Any, url: str, held: HeldMessages) -> None:
        self._client, self._url, self._held = client, url, held
        self._look_at = 0.0
        self.hidden_seconds = LONGEST_HIDDEN
        self.depth: int | None = None
        self.problem: str | None = None

    def run(self, stop: threading.Event) -> None:
        backoff = Backoff(longest=5.0)
        while not stop.is_set():
            self._held.wait_for_done(self._until_due(time.monotonic()))
            problems = [_problem_of(self._keep_hidden), _problem_of(self._delete_done)]
            self.problem = next(filter(None, problems), None)
            if self.problem is None:
                backoff.reset()
            else:
                # not so long that what is held would not be hidden in time
                stop.wait(min(backoff.delay(), self.hidden_seconds / 4))
            if time.monotonic() >= self._look_at:
                self.look()

    def look(self) -> None:
        """Asks for the queue's attributes. Who may not is none the worse for it."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        try:
            found = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages", "VisibilityTimeout"]
            )["Attributes"]
        except AwsError:
            self.depth = None
        else:
            self.depth = int(found["ApproximateNumberOfMessages"])
            self.hidden_seconds = max(LEAST_HIDDEN, min(int(found["VisibilityTimeout"]), LONGEST_HIDDEN))

    def let_go(self, deadline: float) -> None:
        """Deletes what is done and shows the rest to others at once, until `deadline` (monotonic clock)."""
        try:
            while self._held.done() and time.monotonic() < deadline:
                self._delete_some()
            while (held := self._held.not_done()) and time.monotonic() < deadline:
                self._hide(held[:REQUEST_ENTRIES], 0)
                self._held.forget(held[:REQUEST_ENTRIES])
        except (*AwsError, _Refused):
            return  # the queue shows them again by itself, when their time is over

    def _until_due(self, now: float) -> float:
        shown = self._held.hidden_until()
        due = now + IDLE_SECONDS if shown is None else shown - self.hidden_seconds / 2
        return max(0.0, min(due, self._look_at, now + IDLE_SECONDS) - now)

    def _delete_done(self) -> None:
        while self._held.done():
            self._delete_some()

    def _delete_some(self) -> None:
        done = self._held.done()
        unchanged = delete(self._client, self._url, done)
        still_there = {held.number for held in unchanged.to_retry}
        self._held.forget(held for held in done if held.number not in still_there)
        if still_there:
            raise _Refused(f"the queue does not delete messages: {unchanged.problem}")

    def _keep_hidden(self) -> None:
        """In the half-time of each, so that there is time to try again."""
        while held := self._held.shown_before(time.monotonic() + self.hidden_seconds / 2):
            self._hide(held, self.hidden_seconds)

    def _hide(self, held: Sequence[Held], seconds: int) -> None:
        asked_at = time.monotonic()
        unchanged = hide(self._client, self._url, held, seconds)
        lost = {each.number for each in unchanged.lost}
        to_retry = {each.number for each in unchanged.to_retry}
        for each in held:
            if each.number in lost:
                each.hidden_until = float("inf")  # until it is received again
            elif each.number not in to_retry:
                each.hidden_until = asked_at + seconds
        if to_retry:
            raise _Refused(f"the queue does not keep messages hidden: {unchanged.problem}")


class _Refused(Exception):
    """Entries of a request were refused, which may pass."""


def _problem_of(step: Callable[[], None]) -> str | None:
    """What kept this from being done, as a sentence; None when it was done."""
    try:
        step()
    except _Refused as refused:
        return str(refused)
    except AwsError as error:
        return sentence(error)
    return None
