"""Where the republisher publishes: a broker (`MqttDestination`) or AWS IoT Core (`IotDestination`)."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """What has become of a publication."""

    DELIVERED = "delivered"
    UNHEARD = "nobody subscribes to it: nobody has it now"
    DENIED = "we may not publish it"
    BUSY = "not taken now"
    REFUSED = "refused for good"
    TOO_LARGE = "larger than is taken"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of the publication with this key, and a sentence for people."""

    key: int
    outcome: Outcome
    detail: str = ""


class Destination(Protocol):
    """Takes publications, and answers each once. One thread calls everything but `wake`."""

    @property
    def url(self) -> str:
        """Without user and password."""

    @property
    def ready(self) -> bool:
        """It is there, as far as is known."""

    @property
    def has_room(self) -> bool:
        """It takes another publication now."""

    def most_bytes(self, topic: str) -> int:
        """Of the largest payload that it takes there."""

    @property
    def problem(self) -> str | None:
        """What is wrong with it, as a sentence without secrets; None when nothing is."""

    def publish(self, key: int, topic: str, payload: bytes) -> None:
        """Begins to; only while there is room. What is not answered may have arrived or not."""

    def turn(self, wait: float) -> list[Answer]:
        """Waits up to `wait` seconds, or until `wake`, for answers. Never raises for what the other side or
        a network does.
        """

    def wake(self) -> None:
        """Ends a wait in `turn`; from any thread or a signal handler."""

    def close(self) -> None:
        """Ends it; publications under way are waited for a moment."""
