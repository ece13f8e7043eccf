"""The batch that a source gathers."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.messages import Message


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch closes at `messages`, at `payload_bytes`, `age` seconds after its first message, or after
    `silence` seconds without more.

    A hostile MiB may take seconds to judge: `payload_bytes` keeps a batch within the keep-alive.
    """

    messages: int = 5000
    payload_bytes: int = 4 << 20
    age: float = 0.25
    silence: float = 0.005


class Batch:
    """Messages that were not given out yet, in order. `started_at` is when the first came."""

    def __init__(self, limits: BatchLimits) -> None:
        self.limits, self.started_at = limits, 0.0
        self._messages: list[Message] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        self._messages.append(message)
        self._bytes += len(message.payload)

    def has_room(self) -> bool:
        return len(self._messages) < self.limits.messages and self._bytes < self.limits.payload_bytes

    @property
    def ages_at(self) -> float:
        """When its age closes it."""
        return self.started_at + self.limits.age

    def take(self) -> list[Message]:
        """Its messages; it is empty then."""
        taken, self._messages, self._bytes = self._messages, [], 0
        return taken

    def drop(self, unwanted: Callable[[Message], bool]) -> None:
        """Forgets messages as if they had never come."""
        self._messages = [message for message in self._messages if not unwanted(message)]
        self._bytes = sum(len(message.payload) for message in self._messages)
