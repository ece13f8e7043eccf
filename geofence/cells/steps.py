"""Steps of a build: between two of them, tenths of a second apart, whoever wants may end it."""

from collections.abc import Callable

BetweenSteps = Callable[[], None]
"""Called after each step; what it raises ends the build."""


def go_on() -> None:
    """Ends no build."""
