"""What the demo shows: a line a crossing, mails, and a line of counters that stays at the bottom.

On a pipe, in a dumb terminal or with NO_COLOR it shows the same in plain lines; Rich sees to the colours.
"""

import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from service.demo.answers import Counters, Crossing
from service.demo.mailbox import Mail

FEET = 0.3048
"""Metres in a foot; aviation counts altitude in feet."""

PLAIN_SECONDS = 10.0
"""How often counters are a line of their own where none can stay at the bottom."""

MAIL_LINES = 24

PLACE, SHORT_PLACE = 36, 12
"""Characters that a geofence's name has: with room enough, and at least."""
BESIDE_PLACE = 56
"""Characters of a crossing's line beside the name, the altitude among them."""
LOOKS = {True: ("ENTER", "bold green", "entered"), False: ("EXIT ", "bold yellow", "left   ")}


class Screen:
    """Shows on `console`; `geofence_names` by geofence id. From the entry of a `with` to its end."""

    def __init__(self, console: Console, geofence_names: Mapping[str, str]) -> None:
        self._console = console
        self._names = geofence_names
        stays = console.is_terminal and not console.is_dumb_terminal
        self._bottom = Live(Text(""), console=console, auto_refresh=False, transient=True) if stays else None
        self._counted: tuple[float, int] | None = None  # when, and how many positions
        self._plain_at = 0.0
        self._seen_mail = False

    def __enter__(self) -> "Screen":
        if self._bottom is not None:
            self._bottom.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bottom is not None:
            self._bottom.stop()

    def say(self, text: str) -> None:
        """A line of plain text."""
        self._console.print(Text(text), soft_wrap=True)

    def show_crossings(self, crossings: Sequence[Crossing], unshown: int) -> None:
        """A line each, and one that says how many more there were."""
        for crossing in crossings:
            self._console.print(self._line(crossing), soft_wrap=True)
        if unshown:
            self._console.print(Text(f"          ... and {unshown} more", style="dim"))

    def show_mail(self, mail: Mail) -> None:
        """The first mail whole, of later ones the subject."""
        to = ", ".join(map(printable, mail.recipients))
        if self._seen_mail:
            subject = f"{time.strftime('%H:%M:%S')}  mail   to {to}: {printable(mail.subject)}"
            self._console.print(Text(subject, style="cyan"), soft_wrap=True)
            return
        self._seen_mail = True
        lines = [printable(line) for line in mail.text.splitlines()]
        if len(lines) > MAIL_LINES:
            lines = [*lines[:MAIL_LINES], f"... {len(lines) - MAIL_LINES} more lines in {mail.file}"]
        text = Text("\n".join([f"Subject: {printable(mail.subject)}", "", *lines]))
        self._console.print(Panel(text, title=f"The first mail, to {to}", border_style="cyan"))

    def show_counters(self, counters: Counters, mails: int) -> None:
        """How much there has been, and how fast positions come."""
        now = time.monotonic()
        before, positions = self._counted or (now, counters.positions)
        rate = max(0, counters.positions - positions) / max(now - before, 0.1)
        self._counted = now, counters.positions
        line = Text(
            f"positions: {counters.positions:,}, {rate:,.0f}/s | devices: {counters.devices:,} | "
            f"events: {counters.events:,} | mails: {mails:,} | refused: {counters.rejects:,}",
            style="reverse",
            no_wrap=True,
            overflow="ellipsis",
        )
        if self._bottom is not None:
            self._bottom.update(line, refresh=True)
        elif now - self._plain_at >= PLAIN_SECONDS:
            self._plain_at = now
            self._console.print(Text(line.plain), soft_wrap=True)

    def _line(self, crossing: Crossing) -> Text:
        word, style, verb = LOOKS[crossing.entered]
        callsign = printable((crossing.callsign or "").strip())
        aircraft = f"{callsign} ({crossing.device_id})" if callsign else crossing.device_id
        place = printable(self._names.get(crossing.geofence_id, crossing.geofence_id))
        line = Text(f"{crossing.time.astimezone():%H:%M:%S}  ")
        line.append(word, style)
        line.append(f"  {aircraft:<18} {verb} ")
        width = self._place_width()
        line.append(f"{shortened(place, width):<{width}}" if self._bottom else f"{place:<{PLACE}}", "bold")
        if crossing.altitude is not None:
            line.append(f" {crossing.altitude / FEET:>7,.0f} ft")
        return line

    def _place_width(self) -> int:
        """What a line on the terminal has for the place, so that it does not wrap."""
        return max(SHORT_PLACE, min(PLACE, self._console.width - BESIDE_PLACE))


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


def printable(text: str) -> str:
    """Text that does to a terminal nothing but appear; names come from devices and may hold anything."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
