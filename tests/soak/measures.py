"""What the soak measures on its way: counts once a minute, memory every few seconds."""

import time
from dataclasses import dataclass, field, replace

import psycopg

from tests.soak.plant import Plant
from tests.soak.traffic import Traffic
from tests.told import Told

MIB = 1 << 20
COUNTS = "SELECT (SELECT count(*) FROM position), (SELECT count(*) FROM event)"
SIZE = "SELECT pg_database_size(current_database())"
"""Tables and indexes; what is written ahead is not part of it."""


@dataclass(frozen=True, slots=True)
class Minute:
    """Counts at `seconds` of the run; `lag` is published minus stored, `size` bytes of the database."""

    seconds: float
    published: int
    stored: int
    events: int
    heard: int
    size: int

    @property
    def lag(self) -> int:
        return self.published - self.stored

    @property
    def bytes_per_position(self) -> float:
        return self.size / max(1, self.stored)


@dataclass(slots=True)
class Measures:
    """`memory`: by name and process id, (seconds of the run, bytes)."""

    plant: Plant
    traffic: Traffic
    told: Told
    started: float = field(default_factory=time.monotonic)
    minutes: list[Minute] = field(default_factory=list)
    memory: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def look(self) -> None:
        """At the memory of each process."""
        for process, size in self.plant.memory().items():
            self.memory.setdefault(process, []).append((self.seconds, size))

    def count(self) -> None:
        """Takes a minute's counts, and says them."""
        try:
            stored, events = self.plant.row(COUNTS)
            (size,) = self.plant.row(SIZE)
        except psycopg.OperationalError as error:
            print(f"{clock(self.seconds)} not counted: {str(error).strip()[:100]}", flush=True)
            return
        heard = len(self.told.events)
        now = Minute(self.seconds, self.traffic.published, stored, events, heard, size)
        same = bool(self.minutes) and replace(now, seconds=self.minutes[-1].seconds) == self.minutes[-1]
        if same:
            self.minutes[-1] = now
            return  # nothing moves any more: it has been said
        self.minutes.append(now)
        sizes = ", ".join(
            f"{name} {series[-1][1] // MIB}"
            for (name, _), series in self.memory.items()
            if series[-1][0] > now.seconds - 20
        )
        print(
            f"{clock(now.seconds)} {now.stored:,} stored, {now.events:,} events, {now.heard:,} heard, "
            f"lag {now.lag:,}, {now.bytes_per_position:.0f} bytes a position, MiB: {sizes}",
            flush=True,
        )


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}"
