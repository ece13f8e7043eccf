"""What is told of one device and one geofence, one fix after the other and without anything clever."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from geofence.conditions.conditions import Conditions
from geofence.events import DWELL, ENTER, EXIT, EventType
from geofence.state.visit_records import NEVER


class Crossed(NamedTuple):
    """A crossing between two fixes: how far along the path, and when (ms)."""

    share: float
    time: int


class Event(NamedTuple):
    """What is told of a fix, by its order among those of the fix."""

    share: float
    kind: int
    geofence: int
    type: EventType
    time: int
    interpolated: bool
    ordinal: int = 0


def in_order(events: Sequence[Event]) -> list[Event]:
    """The events of one fix, those that agree in geofence, type and time counted."""
    seen: Counter[tuple[int, EventType, int]] = Counter()
    found = []
    for event in sorted(events):
        same = (event.geofence, event.type, event.time)
        found.append(event._replace(ordinal=seen[same]))
        seen[same] += 1
    return found


KINDS = {EXIT: 0, ENTER: 1, DWELL: 2}


@dataclass
class Visit:
    """What is known of a device and a geofence."""

    within: bool = False
    """The device is in the area, as the last fix that counted said."""
    inside: bool = False
    """It has entered and not left, as was told."""
    entered: int | None = None
    outside_since: int | None = None
    dwelled: bool = False

    def events(
        self,
        geofence: int,
        asked: Conditions,
        time: int,
        within: bool,
        crossed: Sequence[Crossed],
        metres: Callable[[], float],
    ) -> list[Event]:
        """Of a fix that counts, after these crossings on the way to it, so many metres away."""
        found: list[Event] = []

        def tell(
            event_type: EventType, share: float = 1.0, at: int = time, interpolated: bool = False
        ) -> None:
            found.append(Event(share, KINDS[event_type], geofence, event_type, at, interpolated))

        absence, distance = asked.exit_after_seconds, asked.exit_after_metres
        lasting = absence is not None or distance is not None
        follows = lasting or asked.dwell_seconds is not None
        if self.inside and self.entered is None and follows:
            self.entered = time
        changes = [(*each, True) for each in crossed]
        if (self.within != within) != (len(crossed) % 2 == 1):
            assert not crossed
            changes = [(1.0, time, False)]
        for change in changes:
            self.within = not self.within
            if self.within and not self.inside:
                tell(ENTER, *change)
                self.inside, self.entered, self.dwelled = True, change[1] if follows else None, False
            elif self.within:
                self.outside_since = None
            elif lasting:
                self.outside_since = change[1]
            else:
                tell(EXIT, *change)
                self.inside, self.entered = False, None
        waited = self.outside_since is not None and time >= self.outside_since + round(1000 * (absence or 0))
        if waited and (distance is None or metres() >= distance):
            tell(EXIT)
            self.inside, self.entered, self.outside_since = False, None, None
        if self.inside and within and not self.dwelled and asked.dwell_seconds is not None:
            assert self.entered is not None
            if time >= self.entered + round(1000 * asked.dwell_seconds):
                tell(DWELL)
                self.dwelled = True
        return found


State = tuple[list[tuple[int, int]], list[tuple[int, ...]]]
"""Pairs of a device and a geofence that it is inside of, and records of their visits."""


def state_of(visits: Mapping[tuple[int, int], Visit]) -> State:
    """What is remembered of visits by device and geofence."""
    inside = {pair: visit for pair, visit in sorted(visits.items()) if visit.inside}
    records = [
        (*pair, visit.entered, NEVER if visit.outside_since is None else visit.outside_since, visit.dwelled)
        for pair, visit in inside.items()
        if visit.entered is not None
    ]
    return list(inside), records
