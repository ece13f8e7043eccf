"""Patterns of texts: ids of devices, and what they report."""

from geofence.conditions.pattern_filter import REMEMBERED, PatternFilter


def test_patterns_are_those_of_a_shell_and_mind_case() -> None:
    takes = PatternFilter(("4b1*", "?x", "a.c")).takes
    assert [takes(each) for each in ("4b1", "4b17", "4B17", "yx", "x", "yyx", "a.c", "abc", "a4b1")] == [
        True, True, False, True, False, False, True, False, False,
    ]  # fmt: skip
    assert not PatternFilter(()).takes("x")


def test_patterns_with_many_stars_come_to_an_end() -> None:
    assert not PatternFilter(["*a" * 50] * 10).takes("a" * 49 + "b" * 51)


def test_a_filter_remembers_no_more_than_it_may() -> None:
    for most in (REMEMBERED, 100):
        pattern_filter = PatternFilter(["*7"], most)
        answers = [pattern_filter.takes(str(number)) for number in range(most + 10)]
        assert sum(answers) == (most + 10) // 10
        assert len(pattern_filter._answers) == 10
