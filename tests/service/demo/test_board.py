"""The board shows every hop with what has passed, how fast, and what waits."""

from itertools import count

import pytest

from service.demo.board import Board
from service.demo.hops import ACCOUNT_A, ACCOUNT_B, Hop, Reading

HOPS = [
    Hop("bridge", ACCOUNT_A, lambda: Reading(12_345, "messages", 0, "in 1,020 requests to SQS")),
    Hop("SQS", ACCOUNT_B, lambda: Reading(None, "", 3, "in flight " * 20)),
    Hop("SNS", ACCOUNT_B, lambda: Reading(14, "messages", note="10 mails, 4 texts")),
]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    board = Board(HOPS)
    board.look()
    lines = board.table(width).plain.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(HOPS) + 2  # a heading for each account


def test_hops_stand_under_their_account_in_the_order_of_the_way() -> None:
    board = Board(HOPS)
    board.look()
    names = [line.split()[0] if line[0] == " " else line[3:12] for line in board.table(80).plain.splitlines()]
    assert names == ["account A", "bridge", "account B", "SQS", "SNS"]


def test_rate_is_of_what_passed_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count(100)
    monkeypatch.setattr("service.demo.board.time.monotonic", lambda: float(next(seconds)))
    passed = iter([0, 10, 20, 40])
    board = Board([Hop("tracker", "", lambda: Reading(next(passed), "positions"))])
    rates = []
    for _ in range(4):
        board.look()
        rates.append(board.line().rpartition(", ")[2])
    assert rates == ["0/s", "10/s", "10/s", "13/s"]


def test_plain_line_says_it_all_in_words() -> None:
    board = Board([HOPS[0], HOPS[2]])
    board.look()
    assert board.line() == (
        "bridge: 12,345 messages, 0/s, 0 waiting, in 1,020 requests to SQS | "
        "SNS: 14 messages, 0/s, 10 mails, 4 texts"
    )


def test_what_was_never_read_has_no_figures() -> None:
    board = Board([HOPS[0]])
    assert board.line() == ""
    assert board.table(80).plain.splitlines()[1].strip() == "bridge"
