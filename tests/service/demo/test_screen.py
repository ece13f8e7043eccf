"""What the demo shows, on a terminal and on a pipe."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from service.demo.answers import Counters, Crossing
from service.demo.mailbox import Mail
from service.demo.screen import Screen

NAMES = {"LSZH": "Zürich Airport"}
MOMENT = datetime(2018, 8, 1, 5, 0, 0, tzinfo=UTC)
ENTER = Crossing(MOMENT, True, "4ca7b3", "LSZH", "TOM2XE", 1219.2)
EXIT = Crossing(MOMENT, False, "4ca7b3", "LSZB")


def shown(*crossings: Crossing, terminal: bool = False, unshown: int = 0) -> str:
    colours: Literal["auto", "standard"] = "standard" if terminal else "auto"
    console = Console(file=io.StringIO(), force_terminal=terminal, color_system=colours, width=60)
    with Screen(console, NAMES) as screen:
        screen.show_crossings(crossings, unshown)
        screen.show_counters(Counters(1200, 30, 4, 5), mails=2)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_line_tells_local_time_aircraft_place_and_altitude_in_feet() -> None:
    line = shown(ENTER).splitlines()[0]
    time = f"{MOMENT.astimezone():%H:%M:%S}"
    assert " ".join(line.split()) == f"{time} ENTER TOM2XE (4ca7b3) entered Zürich Airport 4,000 ft"


def test_what_is_not_known_is_left_out() -> None:
    assert shown(EXIT).splitlines()[0].split()[1:] == ["EXIT", "4ca7b3", "left", "LSZB"]


def test_enter_and_exit_have_colours_of_their_own_on_a_terminal() -> None:
    text = shown(ENTER, EXIT, terminal=True)
    assert "\x1b[1;32mENTER" in text
    assert "\x1b[1;33mEXIT" in text


def test_pipe_gets_plain_whole_lines() -> None:
    lines = shown(ENTER, EXIT, unshown=3).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[2].strip() == "... and 3 more"
    assert lines[3] == "positions: 1,200, 0/s | devices: 5 | events: 30 | mails: 2 | refused: 4"
    assert len(lines) == 4


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in shown(ENTER, terminal=True)


def test_names_cannot_steer_the_terminal() -> None:
    hostile = Crossing(MOMENT, True, "a", "g", "\x1b[2J[bold]\r\nX", None)
    text = shown(hostile)
    assert "\x1b" not in text
    assert "�[2J[bold]��X" in text


def test_first_mail_is_shown_whole_and_later_ones_by_subject(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    mails = [Mail(("a@example.com",), f"subject {n}", f"text {n}\n", tmp_path / f"{n}.eml") for n in (1, 2)]
    with Screen(console, {}) as screen:
        for mail in mails:
            screen.show_mail(mail)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "The first mail, to a@example.com" in text
    assert "text 1" in text
    assert "mail   to a@example.com: subject 2" in text
    assert "text 2" not in text


def test_on_a_narrow_terminal_a_crossing_keeps_to_its_line() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)
    with Screen(console, {"LSZH": "Zürich Airport and everything that lies around it"}) as screen:
        screen.show_crossings([ENTER], 0)
    assert isinstance(console.file, io.StringIO)
    (line,) = [each for each in console.file.getvalue().splitlines() if "ENTER" in each]
    assert len(line.replace("\x1b[?25l", "")) <= 80
    assert line.rstrip().endswith("4,000 ft")
