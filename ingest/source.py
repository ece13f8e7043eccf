"""Where a tracker's messages come from: a broker (`MqttSource`) or a queue (`QueueSource`)."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from ingest.messages import Message


class Source(Protocol):
    """Hands messages out in batches, and keeps those that are not acknowledged for the next time.

    One thread calls everything but `wake`; the properties may be read from any.
    """

    @property
    def facts(self) -> Mapping[str, object]:
        """What logs say of it: the broker and its topics, or the queue. Without secrets."""

    @property
    def subscribed(self) -> bool:
        """It is connected, and lets us have the messages."""

    @property
    def drained(self) -> bool:
        """It had nothing more for us, or nothing old, when the last batch closed."""

    @property
    def connection(self) -> int:
        """Counts connections: the reorder window starts anew with each."""

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, as a sentence without secrets; None when nothing is."""

    def receive(self, timeout: float) -> list[Message]:
        """The next batch; [] when nothing came within `timeout` seconds or `wake` was called.

        Connects by itself. Never raises for what the other side or a network does.
        """

    def acknowledge(self, receipts: Iterable[int]) -> None:
        """The messages with these receipts are safe, and need not come again."""

    def rest(self, seconds: float) -> None:
        """Keeps what is held ours for so long, or until `wake`, without giving out messages."""

    def wake(self) -> None:
        """Makes a `receive` or `rest` that waits return; from any thread or a signal handler."""

    def close(self) -> None:
        """Ends the connection; what was not acknowledged comes again, to whoever asks next."""
