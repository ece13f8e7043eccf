"""What a copy has done, in numbers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.outcome import Posted

FAULTS = 20
"""Things that could not be copied that are named."""


@dataclass(slots=True)
class Summary:
    """`found` counts what the account has, `done` what became of it; `faults` is what could not be copied."""

    found: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def posted(self, what: str, posted: Posted) -> None:
        """Positions of this kind were stored."""
        self.done[f"{what} stored"] += posted.accepted
        self.done[f"{what} that were there"] += posted.duplicates
        refused = sum(each.count for each in posted.rejects)
        self.done[f"{what} refused (GET /v1/rejects)"] += refused

    def lines(self) -> Iterator[str]:
        """For people: what was found, with what became of it below."""
        for what, count in self.found.items():
            yield f"{count:,} {what}"
        yield from (f"  {count:,} {what}" for what, count in self.done.items() if count)
        yield from self.faults[:FAULTS]
        if len(self.faults) > FAULTS:
            yield f"and {len(self.faults) - FAULTS:,} more"
