"""How an attempt to deliver an alert can end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver's side has taken it; `answer` is what it said."""

    answer: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """Not now: the same again may succeed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """Never: the same again would be refused again."""

    reason: str


DeliveryOutcome = Sent | Temporary | Permanent
