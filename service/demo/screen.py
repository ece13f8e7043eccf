"""What the demo shows: a line a crossing, what people are told, and a board of counters at the bottom.

On a pipe, in a dumb terminal or with NO_COLOR it shows the same in plain lines; Rich sees to the colours.
"""

import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from service.demo.answers import Crossing
from service.demo.board import Board
from service.demo.told import Told

FEET = 0.3048
"""Metres in a foot; aviation counts altitude in feet."""

PLAIN_SECONDS = 10.0
"""How often counters are a line of their own where none can stay at the bottom."""

MORE_SECONDS = 5.0
"""Between two lines that say how many crossings were not shown."""

TOLD_LINES = 24
"""Of a message that is shown whole."""

PLACE, SHORT_PLACE = 36, 12
"""Characters that a geofence's name has: with room enough, and at least."""
BESIDE_PLACE = 56
"""Characters of a crossing's line beside the name, the altitude among them."""
LOOKS = {
    "ENTER": ("bold green", "entered"),
    "EXIT": ("bold yellow", "left   "),
    "DWELL": ("bold cyan", "stayed "),
}
TOLD_LOOKS = {"mail": ("MAIL ", "cyan"), "text message": ("TEXT ", "magenta")}


class Screen:
    """Shows on `console`; `geofence_names` by geofence id. From the entry of a `with` to its end."""

    def __init__(self, console: Console, geofence_names: Mapping[str, str], board: Board) -> None:
        self._console = console
        self._names = geofence_names
        self._board = board
        stays = console.is_terminal and not console.is_dumb_terminal
        self._bottom = Live(Text(""), console=console, auto_refresh=False, transient=True) if stays else None
        self._plain_at = self._more_at = -PLAIN_SECONDS
        self._unshown = 0
        self._seen_kinds: set[str] = set()

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
        """A line each, and now and then one that says how many more there were."""
        for crossing in crossings:
            self._console.print(self._line(crossing), soft_wrap=True)
        self.note_unshown(unshown)

    def note_unshown(self, unshown: int) -> None:
        """How many more crossings, mails or texts there were than are shown."""
        self._unshown += unshown
        now = time.monotonic()
        if self._unshown and now - self._more_at >= MORE_SECONDS:
            self._console.print(Text(f"          ... and {self._unshown} more", style="dim"))
            self._unshown, self._more_at = 0, now

    def show_told(self, told: Told) -> None:
        """The first mail and the first text message whole, later ones as a line."""
        word, style = TOLD_LOOKS[told.kind]
        if told.kind in self._seen_kinds:
            line = f"{time.strftime('%H:%M:%S')}  {word}  {printable(told.headline)}"
            shown = shortened(line, self._console.width) if self._bottom else line
            self._console.print(Text(shown, style=style), soft_wrap=True)
            return
        self._seen_kinds.add(told.kind)
        to = ", ".join(map(printable, told.recipients))
        title = f"The first {told.kind}, to {to}"
        self._console.print(Panel(_whole(told), title=title, title_align="left", border_style=style))

    def show_board(self) -> None:
        """What the board has read last."""
        now = time.monotonic()
        if self._bottom is not None:
            self._bottom.update(self._board.table(self._console.width), refresh=True)
        elif now - self._plain_at >= PLAIN_SECONDS:
            self._plain_at = now
            self._console.print(Text(self._board.line()), soft_wrap=True)

    def _line(self, crossing: Crossing) -> Text:
        style, verb = LOOKS[crossing.event_type]
        callsign = printable((crossing.callsign or "").strip())
        aircraft = f"{callsign} ({crossing.device_id})" if callsign else crossing.device_id
        place = printable(self._names.get(crossing.geofence_id, crossing.geofence_id))
        line = Text(f"{crossing.time.astimezone():%H:%M:%S}  ")
        line.append(f"{crossing.event_type:<5}", style)
        line.append(f"  {aircraft:<18} {verb} ")
        width = self._place_width()
        line.append(f"{shortened(place, width):<{width}}" if self._bottom else f"{place:<{PLACE}}", "bold")
        if crossing.altitude is not None:
            line.append(f" {crossing.altitude / FEET:>7,.0f} ft")
        return line

    def _place_width(self) -> int:
        """What a line on the terminal has for the place, so that it does not wrap."""
        return max(SHORT_PLACE, min(PLACE, self._console.width - BESIDE_PLACE))


def _whole(told: Told) -> Text:
    lines = [printable(line) for line in told.text.splitlines()]
    if len(lines) > TOLD_LINES:
        lines = [*lines[:TOLD_LINES], f"... {len(lines) - TOLD_LINES} more lines in {told.file}"]
    head = [f"Subject: {printable(told.subject)}", ""] if told.subject else []
    return Text("\n".join([*head, *lines]))


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


def printable(text: str) -> str:
    """Text that does to a terminal nothing but appear; names come from devices and may hold anything."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
