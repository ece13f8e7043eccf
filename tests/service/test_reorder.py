"""The reorder window's clock."""

from hypothesis import given
from hypothesis import strategies as st

from service.reorder import ReorderClock


def test_a_receipt_is_due_when_its_window_has_passed_and_stays_so_until_done() -> None:
    clock = ReorderClock(30)
    clock.run(0)
    clock.received(100, 7)

    assert clock.due(129.9) is None
    assert clock.due(130.02) == 7
    assert clock.due(130.02) == 7
    clock.done(7)
    assert clock.due(999) is None


def test_time_does_not_pass_while_the_clock_stands() -> None:
    clock = ReorderClock(30)
    clock.run(0)
    clock.received(0, 1)
    clock.stand(20)

    assert clock.due(500) is None
    assert clock.seconds_until_due(500) is None
    clock.run(500)
    assert clock.due(509) is None
    assert clock.due(510.02) == 1


def test_started_anew_all_that_waits_waits_the_whole_window_again() -> None:
    clock = ReorderClock(30)
    clock.run(0)
    clock.received(0, 1)
    clock.received(10, 2)
    clock.start_anew(29, 2)

    assert clock.due(58.9) is None
    assert clock.due(59) == 2


def test_without_a_window_a_receipt_is_due_at_once_even_if_the_clock_stands() -> None:
    clock = ReorderClock(0)
    clock.received(5, 1)

    assert clock.due(5) == 1
    assert clock.due(4) == 1


def test_until_it_runs_nothing_is_due() -> None:
    clock = ReorderClock(1)
    clock.received(0, 1)

    assert clock.due(1_000_000) is None


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=50), st.floats(0.1, 10))
def test_no_receipt_is_due_before_its_window_nor_long_after(gaps: list[float], window: float) -> None:
    clock = ReorderClock(window)
    clock.run(0)
    times: list[float] = []
    time = 0.0
    for receipt, gap in enumerate(gaps):
        time += gap
        times.append(time)
        clock.received(time, receipt)
    for receipt, received in enumerate(times):
        early = clock.due(received + window - 1e-6)
        assert early is None or early < receipt
        late = clock.due(received + window + clock.COALESCED + 1e-6)
        assert late is not None
        assert late >= receipt
