"""What a check found: what is proved, what could not be, and what is not as it should be."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Violation(NamedTuple):
    """Something that is not as it should be. `check` is a short stable word; `row` says which row it is of,
    `stored` what is there and `expected` what should be."""

    check: str
    row: str
    stored: str
    expected: str
    tracker: str | None = None
    device: str | None = None

    def __str__(self) -> str:
        named = (("tracker", self.tracker), ("device", self.device))
        of = "".join(f"{word} {name}, " for word, name in named if name is not None)
        return f"{self.check}: {of}{self.row}: stored {self.stored}, expected {self.expected}"


@dataclass(slots=True)
class Findings:
    """`proved` and `unproved` count, by what. Each violation goes to `tell` as it is found."""

    tell: Callable[[Violation], object]
    proved: Counter[str] = field(default_factory=Counter)
    unproved: Counter[str] = field(default_factory=Counter)
    violations: int = 0

    def add(self, violation: Violation) -> None:
        """One more."""
        self.violations += 1
        self.tell(violation)


@dataclass(slots=True)
class Expiry:
    """`before`: positions and events measured before (ms) may have gone; None: none ever went.

    It grows while a check goes on, if retention drops days meanwhile: of these nobody sees what they were.
    """

    before: int | None = None

    def may_have(self, sample_time: int) -> bool:
        """Whether what was measured then may have gone."""
        return self.before is not None and sample_time < self.before
