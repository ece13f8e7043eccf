"""Which crossings are shown, a few at a time: first of all those of devices that were not shown yet."""

from collections.abc import Sequence

from service.demo.answers import Crossing

MOST_WAITING = 20
"""First crossings that wait for room; the oldest go unshown."""


class CrossingsShown:
    """`at_once`: how many are shown at a time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._known: set[str] = set()
        self._waiting: list[Crossing] = []

    def chosen(self, crossings: Sequence[Crossing]) -> tuple[list[Crossing], int]:
        """Those to show now that these have come, in their order, and how many will never be."""
        firsts = [crossing for crossing in crossings if self._is_first(crossing)]
        others = [crossing for crossing in crossings if crossing not in firsts]
        waiting = [*self._waiting, *firsts]
        split = max(0, len(waiting) - self._at_once)
        self._waiting = waiting[:split][-MOST_WAITING:]
        room = self._at_once - len(waiting[split:])
        unshown = len(others[room:]) + split - len(self._waiting)
        return [*waiting[split:], *others[:room]], unshown

    def _is_first(self, crossing: Crossing) -> bool:
        """Whether none of its device has come before."""
        first = crossing.device_id not in self._known
        self._known.add(crossing.device_id)
        return first
