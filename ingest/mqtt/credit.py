"""What a broker could still send, judged by what it has sent.

A broker stops when so many messages are unacknowledged, and does not say at how many (MQTT 5's
ReceiveMaximum is only what we asked for; Mosquitto 2.0.11 goes beyond it while it works off a backlog).
When it falls silent it either has nothing more or may not send more. It may send while fewer are
unacknowledged than it has entrusted to this connection at once before, counted from when it can have seen
our acknowledgement.

`InFlightLimit` asks where a broker stops for the bridge, which may guess: a wrong guess costs it a small
request. Here a guess could let the reorder window close before positions that the broker still holds, so
only what this connection has shown counts.
"""

from dataclasses import dataclass
from typing import Final

NEVER: Final = float("inf")


@dataclass(slots=True)
class Credit:
    """Of one connection. Times are of the monotonic clock, in seconds."""

    most: int = 0
    """Most messages that were unacknowledged at once."""
    free_from: float = NEVER
    """Since when the broker has certainly been free to send."""
    limit: int | None = None
    """Where the broker has stopped more than once: further waiting brings nothing."""
    stopped_at: int = 0

    def subscribed(self, time: float) -> None:
        if not self.most:
            self.free_from = time

    def received(self, unacknowledged: int) -> None:
        if unacknowledged >= self.most:
            self.most, self.free_from = unacknowledged, NEVER
            if self.limit is not None and unacknowledged > self.limit:
                self.limit = None

    def acknowledged(self, unacknowledged: int, time: float) -> None:
        if self.free_from == NEVER and unacknowledged < self.most:
            self.free_from = time

    def fell_silent(self, unacknowledged: int) -> None:
        if unacknowledged == self.most:
            if unacknowledged == self.stopped_at:
                self.limit = unacknowledged
            self.stopped_at = unacknowledged
