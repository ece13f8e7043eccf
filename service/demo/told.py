"""What people are told: mails and text messages, as they would get them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """One message. `subject` is "" where it has none; `file` is where it is kept."""

    kind: Literal["mail", "text message"]
    recipients: tuple[str, ...]
    subject: str
    text: str
    file: Path

    @property
    def headline(self) -> str:
        """What it says in one line."""
        return self.subject or next(iter(self.text.strip().splitlines()), "")


class Post(Protocol):
    """Where messages arrive."""

    mails: int
    """How many there have been."""
    text_messages: int

    def take_new(self) -> Sequence[Told]:
        """Those that have come since the last call, in order."""
