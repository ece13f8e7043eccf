"""A device that crosses something for the first time is shown, however much goes on beside it."""

from datetime import UTC, datetime

from service.demo.answers import Crossing
from service.demo.crossings_shown import MOST_WAITING, CrossingsShown


def crossing(device: str, geofence: str = "a") -> Crossing:
    return Crossing(datetime(2026, 1, 1, tzinfo=UTC), "ENTER", device, geofence)


def test_all_are_shown_where_there_is_room_and_others_are_counted() -> None:
    shown = CrossingsShown(2)
    first, second, third = crossing("x"), crossing("x", "b"), crossing("x", "c")
    assert shown.chosen([first, second, third]) == ([first, second], 1)
    assert shown.chosen([]) == ([], 0)
    assert shown.chosen([third]) == ([third], 0)


def test_a_new_device_comes_before_those_that_are_known() -> None:
    shown = CrossingsShown(2)
    shown.chosen([crossing("x"), crossing("y")])
    known = [crossing("x", str(number)) for number in range(5)]
    assert shown.chosen([*known, crossing("drone")]) == ([crossing("drone"), known[0]], 4)


def test_a_new_device_that_finds_no_room_is_shown_next_and_the_newest_first() -> None:
    shown = CrossingsShown(2)
    burst = [crossing(str(number)) for number in range(5)]
    assert shown.chosen(burst) == (burst[3:], 0)
    assert shown.chosen([crossing("drone"), crossing("0", "b")]) == ([burst[2], crossing("drone")], 1)
    assert shown.chosen([]) == (burst[:2], 0)


def test_what_waits_is_bounded_and_the_rest_is_counted() -> None:
    shown = CrossingsShown(2)
    burst = [crossing(str(number)) for number in range(MOST_WAITING + 10)]
    assert shown.chosen(burst) == (burst[-2:], 8)
