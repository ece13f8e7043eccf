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
        """Those to show now that these have come, the newest first crossings before others, and how many will
        never be shown."""
        firsts, others = self._parted(crossings)
        waiting = [*self._waiting, *firsts]
        split = max(0, len(waiting) - self._at_once)
        self._waiting = waiting[:split][-MOST_WAITING:]
        room = self._at_once - len(waiting[split:])
        unshown = len(others[room:]) + split - len(self._waiting)
        return [*waiting[split:], *others[:room]], unshown

    def _parted(self, crossings: Sequence[Crossing]) -> tuple[list[Crossing], list[Crossing]]:
        """Those that are the first of their device, which is known from now on, and the others."""
        firsts: list[Crossing] = []
        others: list[Crossing] = []
        for crossing in crossings:
            (others if crossing.device_id in self._known else firsts).append(crossing)
            self._known.add(crossing.device_id)
        return firsts, others
