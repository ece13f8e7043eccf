"""What a person who puts a geofence with dwellSeconds or hysteresis is told."""

import pytest

from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.state.visit_records import NEVER
from tests.geofence.visits.test_visits import Fix, Kernel

pytestmark = pytest.mark.usefixtures("kernel")

IN, OUT = frozenset({2}), frozenset[int]()


def kernel(**asked: float) -> Kernel:
    """Of one geofence, with the key 2, which asks for this."""
    kernel = Kernel()
    kernel.put({2: Conditions(**asked)})
    return kernel


def told(kernel: Kernel, *fixes: Fix) -> list[tuple[str, int]]:
    """Events of a batch by type and time."""
    return [(told.event.type, told.event.time) for told in kernel.events(fixes)]


def at(time: int, within: frozenset[int], metres: float = 0.0, accuracy: float = 0.0) -> Fix:
    return Fix(0, time, within, metres, accuracy)


def test_dwell_is_told_at_the_first_fix_inside_that_late_and_once_a_visit() -> None:
    fixes = [
        at(0, IN),
        at(900, IN),
        at(1_100, IN),
        at(2_500, IN),
        at(2_600, OUT),
        at(3_000, IN),
        at(9_000, IN),
    ]
    assert told(kernel(dwell_seconds=1.0), *fixes) == [
        ("ENTER", 0),
        ("DWELL", 1_100),
        ("EXIT", 2_600),
        ("ENTER", 3_000),
        ("DWELL", 9_000),
    ]


def test_a_device_that_was_there_long_enough_but_is_gone_at_the_next_fix_has_not_dwelled() -> None:
    assert told(kernel(dwell_seconds=1.0), at(0, IN), at(5_000, OUT)) == [("ENTER", 0), ("EXIT", 5_000)]


def test_exactly_as_late_is_late_enough() -> None:
    assert ("DWELL", 1_000) in told(kernel(dwell_seconds=1.0), at(0, IN), at(1_000, IN))
    assert ("EXIT", 2_000) in told(kernel(exit_after_seconds=1.0), at(0, IN), at(1_000, OUT), at(2_000, OUT))
    assert ("EXIT", 1_000) in told(kernel(exit_after_metres=50.0), at(0, IN), at(1_000, OUT, metres=50.0))


def test_a_short_absence_is_none_and_the_time_inside_goes_on() -> None:
    asked = kernel(exit_after_seconds=10.0, dwell_seconds=12.0)
    assert told(asked, at(0, IN), at(5_000, OUT), at(11_000, IN), at(12_000, IN)) == [
        ("ENTER", 0),
        ("DWELL", 12_000),
    ]


def test_a_long_absence_ends_the_visit_at_the_first_fix_that_confirms_it() -> None:
    fixes = [at(0, IN), at(5_000, OUT), at(14_999, OUT), at(15_001, OUT), at(20_000, OUT), at(21_000, IN)]
    assert told(kernel(exit_after_seconds=10.0), *fixes) == [
        ("ENTER", 0),
        ("EXIT", 15_001),
        ("ENTER", 21_000),
    ]


def test_both_a_time_and_a_distance_have_to_be_reached_at_one_fix() -> None:
    fixes = [at(0, IN), at(1_000, OUT, 80), at(6_500, OUT, 10), at(7_000, OUT, 50), at(8_000, OUT, 90)]
    asked = kernel(exit_after_seconds=5.0, exit_after_metres=50.0)
    assert told(asked, *fixes) == [("ENTER", 0), ("EXIT", 7_000)]


def test_a_device_that_jitters_on_the_boundary_is_told_of_once() -> None:
    jitter = [at(time, OUT if time % 3 else IN, metres=time % 3) for time in range(0, 300)]
    assert told(kernel(exit_after_metres=5.0), *jitter) == [("ENTER", 0)]


def test_a_fix_that_does_not_count_confirms_nothing_and_is_no_fix_inside() -> None:
    asked = Kernel()
    asked.put({1: Conditions(dwell_seconds=1.0, exit_after_seconds=1.0)})  # which counts up to 20 m
    inside = frozenset({1})
    poor = {"accuracy": 21.0}
    fixes = [at(0, inside), at(1_500, inside, **poor), at(1_600, OUT), at(3_000, OUT, **poor), at(4_000, OUT)]
    assert told(asked, *fixes) == [("ENTER", 0), ("EXIT", 4_000)]


def test_what_is_remembered_of_a_visit_ends_with_its_geofence_and_with_its_device() -> None:
    asked = kernel(exit_after_seconds=10.0)
    asked.events([at(0, IN), Fix(1, 0, IN), at(1_000, OUT), Fix(1, 1_000, OUT)])
    assert len(asked.state.visits) == 2
    asked.state.clear_device(0)
    assert asked.state.visits.all.device.tolist() == [1]
    asked.discard(frozenset({2}))
    assert len(asked.state.visits) == 0
    assert told(asked, at(20_000, OUT), Fix(1, 20_000, OUT)) == []


def test_who_was_inside_when_the_geofence_began_to_ask_dwells_from_its_next_fix_on() -> None:
    asked = Kernel()
    assert told(asked, at(0, IN)) == [("ENTER", 0)]
    assert len(asked.state.visits) == 0
    asked.put({2: Conditions(dwell_seconds=1.0)})
    assert told(asked, at(5_000, IN), at(5_999, IN)) == []
    assert told(asked, at(6_000, IN)) == [("DWELL", 6_000)]


def test_who_was_on_the_way_out_when_the_geofence_ceased_to_ask_leaves_at_its_next_fix_outside() -> None:
    asked, others = kernel(exit_after_seconds=10.0), kernel(exit_after_seconds=10.0)
    for each in (asked, others):
        each.events([at(0, IN), at(1_000, OUT)])
        each.put({2: UNCONDITIONAL})
    assert told(asked, at(1_001, OUT)) == [("EXIT", 1_001)]
    assert told(others, at(1_001, IN), at(1_002, OUT)) == [("EXIT", 1_002)]


def test_geofences_that_ask_nothing_leave_nothing_to_remember() -> None:
    plain = Kernel()
    assert told(plain, at(0, IN), at(1, OUT), at(2, IN)) == [("ENTER", 0), ("EXIT", 1), ("ENTER", 2)]
    assert len(plain.state.visits) == 0


def test_an_exit_is_at_the_fix_that_confirms_it_even_if_the_way_out_was_crossed_before() -> None:
    crossed = Fix(0, 1_000, OUT, 60.0, 0.0, ((2, (0.5,)),))
    *_, leave = kernel(exit_after_metres=50.0).events([at(0, IN), crossed])
    assert (leave.event.type, leave.event.time, leave.event.interpolated) == ("EXIT", 1_000, False)
    *_, leave = kernel(dwell_seconds=50.0).events([at(0, IN), crossed])
    assert (leave.event.type, leave.event.time, leave.event.interpolated) == ("EXIT", 500, True)


def test_an_absence_within_one_path_ends_no_visit_with_hysteresis() -> None:
    crossed = Fix(0, 1_000, IN, 0.0, 0.0, ((2, (0.25, 0.5)),))
    asked = kernel(exit_after_seconds=0.0)
    assert told(asked, at(0, IN), crossed) == [("ENTER", 0)]
    assert asked.state.visits.all.outside_since.tolist() == [NEVER]


def test_events_of_one_fix_that_agree_in_time_have_ordinals() -> None:
    crossed = Fix(0, 1, IN, 0.0, 0.0, ((2, (0.0, 0.25, 0.5, 0.501)), (4, (0.25, 0.5))))
    events = [each.event for each in Kernel().events([at(0, IN), crossed])]
    assert [(each.geofence, each.type, each.time, each.ordinal) for each in events] == [
        (2, "ENTER", 0, 0),
        (2, "EXIT", 1, 0),
        (2, "ENTER", 1, 0),
        (4, "ENTER", 1, 0),
        (2, "EXIT", 1, 1),
        (4, "EXIT", 1, 0),
        (2, "ENTER", 1, 1),
    ]
