"""What the demo shows, on a terminal and on a pipe."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from service.demo.answers import Crossing
from service.demo.board import Board
from service.demo.hops import Hop, Reading
from service.demo.screen import Screen
from service.demo.told import Told

NAMES = {"LSZH": "Zürich Airport"}
MOMENT = datetime(2018, 8, 1, 5, 0, 0, tzinfo=UTC)
ENTER = Crossing(MOMENT, "ENTER", "4ca7b3", "LSZH", "TOM2XE", 1219.2)
EXIT = Crossing(MOMENT, "EXIT", "4ca7b3", "LSZB")
DWELL = Crossing(MOMENT, "DWELL", "4ca7b3", "LSZB")


def shown(*crossings: Crossing, terminal: bool = False, unshown: int = 0) -> str:
    colours: Literal["auto", "standard"] = "standard" if terminal else "auto"
    console = Console(file=io.StringIO(), force_terminal=terminal, color_system=colours, width=60)
    board = Board([Hop("tracker", "", lambda: Reading(1200, "positions", 3, "5 devices"))])
    with Screen(console, NAMES, board) as screen:
        screen.show_crossings(crossings, unshown)
        board.look()
        screen.show_board()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_line_tells_local_time_aircraft_place_and_altitude_in_feet() -> None:
    line = shown(ENTER).splitlines()[0]
    time = f"{MOMENT.astimezone():%H:%M:%S}"
    assert " ".join(line.split()) == f"{time} ENTER TOM2XE (4ca7b3) entered Zürich Airport 4,000 ft"


def test_what_is_not_known_is_left_out() -> None:
    assert shown(EXIT).splitlines()[0].split()[1:] == ["EXIT", "4ca7b3", "left", "LSZB"]


def test_each_type_has_a_colour_of_its_own_on_a_terminal() -> None:
    text = shown(ENTER, EXIT, DWELL, terminal=True)
    assert "\x1b[1;36mDWELL" in text
    assert "\x1b[1;32mENTER" in text
    assert "\x1b[1;33mEXIT" in text


def test_pipe_gets_plain_whole_lines() -> None:
    lines = shown(ENTER, EXIT, unshown=3).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[2].strip() == "... and 3 more"
    assert lines[3] == "tracker: 1,200 positions, 0/s, 3 waiting, 5 devices"
    assert len(lines) == 4


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in shown(ENTER, terminal=True)


def test_names_cannot_steer_the_terminal() -> None:
    hostile = Crossing(MOMENT, "ENTER", "a", "g", "\x1b[2J[bold]\r\nX", None)
    text = shown(hostile)
    assert "\x1b" not in text
    assert "�[2J[bold]��X" in text


def told_on_screen(*told: Told, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
    with Screen(console, {}, Board([])) as screen:
        for each in told:
            screen.show_told(each)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_first_mail_is_shown_whole_and_later_ones_by_subject(tmp_path: Path) -> None:
    mails = [
        Told("mail", ("a@example.com",), f"subject {n}", f"text {n}\n", tmp_path / f"{n}.eml") for n in (1, 2)
    ]
    text = told_on_screen(*mails)
    assert "The first mail, to a@example.com" in text
    assert "text 1" in text
    assert "MAIL   subject 2" in text
    assert "text 2" not in text


def test_first_mail_and_first_text_message_are_both_shown_whole(tmp_path: Path) -> None:
    sentence = "TOM2XE entered Zürich Airport."
    mail = Told("mail", ("a@example.com",), "", sentence, tmp_path)
    text_message = Told("text message", ("+41790000000",), "", sentence, tmp_path)
    text = told_on_screen(mail, text_message, mail, text_message)
    assert "The first mail, to a@example.com" in text
    assert "The first text message, to +41790000000" in text
    lines = [line[10:] for line in text.splitlines() if line.endswith(sentence)]
    assert lines == [f"MAIL   {sentence}", f"TEXT   {sentence}"]


def test_message_cannot_steer_the_terminal_and_keeps_to_its_line_there(tmp_path: Path) -> None:
    hostile = Told("text message", ("+4179\x1b[2J",), "", "\x1b[2J" + "long " * 30, tmp_path)
    lines = told_on_screen(hostile, hostile, terminal=True).replace("\x1b[2K", "").splitlines()
    assert "\x1b[2J" not in "".join(lines)
    (line,) = [each for each in lines if "TEXT " in each]
    assert len(line) <= 80
    assert line.endswith("…")


def test_crossings_that_are_not_shown_are_counted_now_and_then() -> None:
    console = Console(file=io.StringIO(), width=80)
    with Screen(console, NAMES, Board([])) as screen:
        for _ in range(3):
            screen.show_crossings([], 2)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().split() == ["...", "and", "2", "more"]


def test_on_a_narrow_terminal_a_crossing_keeps_to_its_line() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)
    names = {"LSZH": "Zürich Airport and everything that lies around it"}
    with Screen(console, names, Board([])) as screen:
        screen.show_crossings([ENTER], 0)
    assert isinstance(console.file, io.StringIO)
    (line,) = [each for each in console.file.getvalue().splitlines() if "ENTER" in each]
    assert len(line.replace("\x1b[?25l", "")) <= 80
    assert line.rstrip().endswith("4,000 ft")
