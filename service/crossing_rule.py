"""How the geofences of a collection are crossed: at fixes, or on the straight path between two of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from service.errors import Refused

FIX: Final = "fix"
SEGMENT: Final = "segment"
CROSSINGS: Final = (FIX, SEGMENT)

LEAST_GAP, GREATEST_GAP = 0.001, 86_400.0
"""Seconds."""
GREATEST_SPEED = 1_000_000.0
"""Metres per second."""


@dataclass(frozen=True, slots=True)
class CrossingRule:
    """A collection's own.

    `crossing` is one of CROSSINGS. By SEGMENT two consecutive fixes of a device are joined by a path, unless
    more than `max_gap` ms lie between them or it would take more than `max_speed` (metres per second).
    """

    crossing: str = FIX
    max_gap: int = 300_000
    max_speed: float = 1_000.0

    @property
    def max_gap_seconds(self) -> float:
        return self.max_gap / 1000


DEFAULT_RULE = CrossingRule()

Change = Callable[[CrossingRule], CrossingRule]


class RuleFault(NamedTuple):
    """What is wrong with a member of a rule, as it is written outside, and what would be right."""

    member: str
    value: str
    expected: str


def changed(
    rule: CrossingRule,
    crossing: str | None = None,
    max_gap_seconds: float | None = None,
    max_speed: float | None = None,
) -> CrossingRule:
    """The rule with what is given in place of what was. Raises Refused that names every fault."""
    faults = rule_faults(crossing, max_gap_seconds, max_speed)
    if faults:
        raise Refused("; ".join(f"{member} {value}: {expected}" for member, value, expected in faults))
    return CrossingRule(
        rule.crossing if crossing is None else crossing,
        rule.max_gap if max_gap_seconds is None else round(max_gap_seconds * 1000),
        rule.max_speed if max_speed is None else max_speed,
    )


def rule_faults(
    crossing: str | None, max_gap_seconds: float | None, max_speed: float | None
) -> list[RuleFault]:
    """What is wrong with those that are given."""
    faults: list[RuleFault] = []
    if crossing is not None and crossing not in CROSSINGS:
        faults.append(RuleFault("crossing", repr(crossing), f"expected {' or '.join(CROSSINGS)}"))
    if max_gap_seconds is not None and not LEAST_GAP <= max_gap_seconds <= GREATEST_GAP:
        expected = f"expected seconds from {LEAST_GAP:g} to {GREATEST_GAP:,.0f}"
        faults.append(RuleFault("maxGapSeconds", f"{max_gap_seconds:g}", expected))
    if max_speed is not None and not 0 < max_speed <= GREATEST_SPEED:
        expected = f"expected metres per second above 0 and up to {GREATEST_SPEED:,.0f}"
        faults.append(RuleFault("maxSpeed", f"{max_speed:g}", expected))
    return faults
