"""The hops of the way with their counters, as a table that stays at the bottom or as one plain line."""

import time
from collections import deque
from collections.abc import Sequence

from rich.text import Text

from service.demo.hops import Hop, Reading

LOOKS = 24
"""How many looks back a hop's curve goes."""
RATE_LOOKS = 5
"""Over how many looks a rate is taken; they come once a second."""
CURVE = "▁▂▃▄▅▆▇█"
CURVE_FROM = 110
"""Characters of width from which there is room for the curves."""
NAME, DONE, WAITING = 12, 26, 15
"""Characters of a row's parts; what is known besides has the rest."""
PLACES = {"account A": "where devices publish", "account B": "everything behind the queue"}


class Board:
    """`look` reads all hops; the rest shows what it read."""

    def __init__(self, hops: Sequence[Hop]) -> None:
        self._hops = [(hop, _Meter()) for hop in hops]

    def look(self) -> None:
        """Raises httpx.HTTPError where a hop does not answer."""
        for hop, meter in self._hops:
            meter.note(hop.read(), time.monotonic())

    def table(self, width: int) -> Text:
        """For a terminal of that width; no line is longer."""
        lines: list[Text] = []
        account = None
        for hop, meter in self._hops:
            if hop.account != account:
                account = hop.account
                lines.append(_heading(account, width))
            lines.append(_row(hop.name, meter, width))
        return Text("\n").join(lines)

    def line(self) -> str:
        """The same in one line without looks."""
        return " | ".join(_phrase(hop.name, meter) for hop, meter in self._hops if meter.reading)


class _Meter:
    """The last readings of one hop."""

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self._seen: deque[tuple[float, int]] = deque(maxlen=LOOKS + RATE_LOOKS)

    def note(self, reading: Reading, now: float) -> None:
        self.reading = reading
        self._seen.append((now, reading.done or 0))

    @property
    def rate(self) -> float:
        """A second."""
        return self._rates()[-1]

    def curve(self) -> str:
        """The rates so far, the highest as a whole block."""
        rates = self._rates()
        highest = max(rates) or 1.0
        return "".join(CURVE[int(rate / highest * (len(CURVE) - 1))] for rate in rates[-LOOKS:])

    def _rates(self) -> list[float]:
        seen = list(self._seen)
        rates = []
        for place, (then, done) in enumerate(seen):
            since, before = seen[max(0, place - RATE_LOOKS)]
            rates.append(max(0, done - before) / max(then - since, 0.1))
        return rates or [0.0]


def _heading(account: str, width: int) -> Text:
    if not account:
        return Text("─" * width, style="dim")
    title = f"{account}, {PLACES[account]} "
    return Text.assemble(("── ", "dim"), (title, "bold"), ("─" * (width - 3 - len(title)), "dim"))


def _row(name: str, meter: _Meter, width: int) -> Text:
    reading = meter.reading
    row = Text(f" {name:<{NAME}}", style="bold")
    if reading is None:
        return row
    if reading.done is None:
        row.append(" " * DONE)
    else:
        passed = f"{reading.done:>9,} {reading.unit:<9}{meter.rate:>5,.0f}/s"
        row.append(f"{passed:<{DONE}}", "not bold")
    row.append(_waiting(reading))
    row.append(reading.note, "not bold dim")
    curve = meter.curve() if width >= CURVE_FROM and reading.done is not None else ""
    row.truncate(width - len(curve), overflow="ellipsis", pad=True)
    row.append(curve, "not bold cyan")
    return row


def _waiting(reading: Reading) -> Text:
    if reading.waiting is None:
        return Text(" " * WAITING)
    style = "not bold yellow" if reading.waiting else "not bold dim"
    return Text(f"{f'{reading.waiting:,} waiting':>{WAITING - 2}}  ", style=style)


def _phrase(name: str, meter: _Meter) -> str:
    reading = meter.reading
    assert reading is not None  # noqa: S101 - narrows: the caller has asked
    parts = [] if reading.done is None else [f"{reading.done:,} {reading.unit}, {meter.rate:,.0f}/s"]
    parts += [] if reading.waiting is None else [f"{reading.waiting:,} waiting"]
    parts += [reading.note] if reading.note else []
    return f"{name}: {', '.join(parts)}"
