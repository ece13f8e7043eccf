"""What happens at fixes and between them, of one device and one geofence at a time."""

import fnmatch
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from geofence.conditions.conditions import Conditions
from geofence.earth.ellipsoid import WGS84
from geofence.evaluation.watched import Joining
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.paths.paths import Paths
from geofence.schedules.schedule import Schedule
from tests.geofence.reference import contains

SHORTEST, LEAST_MILLISECONDS = 1e-3, 1.0


class Fix(NamedTuple):
    """A fix, with metres of altitude and accuracy (NaN unknown), and a callsign ('' where there is none)."""

    device: int
    sample_time: int
    position: tuple[float, float]
    altitude: float = math.nan
    accuracy: float = math.nan
    callsign: str = ""


class Change(NamedTuple):
    """A change of a device and a geofence."""

    device: int
    fix_time: int
    share: float
    entering: bool
    geofence: int
    time: int
    interpolated: bool


@dataclass
class OneByOne:
    """One fix after the other."""

    unknown_altitude_inside: bool
    last: dict[int, Fix] = field(default_factory=dict)
    inside: dict[tuple[int, int], bool] = field(default_factory=dict)

    def changes(
        self, geofences: Mapping[int, Geofence], joining: Joining, fixes: Sequence[Fix]
    ) -> list[Change]:
        """Of fixes that come in order."""
        found = []
        for fix in fixes:
            before = self.last.get(fix.device)
            for key, geofence in sorted(geofences.items()):
                if not counts(fix, geofence):
                    continue
                was, is_now = self.inside.get((fix.device, key), False), self.inside_at(fix, geofence)
                crossed = []
                if before is not None and joined(before, fix, joining) and counts(before, geofence):
                    crossed = self.crossed(before, fix, geofence)
                    leads = crossed and crossed[0][1] == (not was)
                    if not leads or (len(crossed) % 2 == 1) != (was != is_now):
                        crossed = []
                for share, entering in crossed:
                    assert before is not None
                    time = time_at(share, before, fix)
                    found.append(
                        Change(fix.device, fix.sample_time, share, entering, key, time, interpolated=True)
                    )
                if not crossed and was != is_now:
                    at = fix.sample_time
                    found.append(Change(fix.device, at, 1.0, is_now, key, at, interpolated=False))
                self.inside[fix.device, key] = is_now
            self.last[fix.device] = fix
        return sorted(found)

    def inside_at(self, fix: Fix, geofence: Geofence) -> bool:
        return (
            contains(geofence, *fix.position)
            and self.in_band(fix.altitude, geofence.conditions)
            and _live(geofence.conditions, fix.sample_time)
            and _takes(geofence.conditions, fix)
        )

    def in_band(self, altitude: float, asked: Conditions) -> bool:
        if asked.min_altitude is None and asked.max_altitude is None:
            return True
        if math.isnan(altitude):
            return self.unknown_altitude_inside
        low = -math.inf if asked.min_altitude is None else asked.min_altitude
        return low <= altitude <= (math.inf if asked.max_altitude is None else asked.max_altitude)

    def crossed(self, before: Fix, fix: Fix, geofence: Geofence) -> list[tuple[float, bool]]:
        """Shares, and whether in: by looking at the middle between any two places where something changes."""
        asked = geofence.conditions
        banded = asked.min_altitude is not None or asked.max_altitude is not None
        unknown = math.isnan(before.altitude), math.isnan(fix.altitude)
        if not _takes(asked, fix) or (banded and unknown[0] != unknown[1]):
            return []
        area = area_crossings(geofence, before, fix)
        climb, gap = fix.altitude - before.altitude, fix.sample_time - before.sample_time
        cuts = {0.0, 1.0, *(share for share, _ in area)}
        for border in (asked.min_altitude, asked.max_altitude):
            if border is not None and not math.isnan(climb) and climb != 0:
                cuts.add((border - before.altitude) / climb)
        for time in range(0, fix.sample_time + 1, 60_000) if asked.schedule else ():
            cuts.add((time - before.sample_time) / gap)
        inside_first = contains(geofence, *before.position)
        begins = inside_first and self.in_time_and_band(before, asked)
        ends = contains(geofence, *fix.position) and self.in_time_and_band(fix, asked)
        parts = [(0.0, 0.0)] if begins else []
        for start, end in pairwise(sorted(cut for cut in cuts if 0 <= cut <= 1)):
            middle = (start + end) / 2
            within = inside_first ^ (sum(share <= middle for share, _ in area) % 2 == 1)
            altitude = before.altitude + middle * climb
            time = math.floor(before.sample_time + middle * gap)
            if within and self.in_band(altitude, asked) and _live(asked, time):
                parts.append((start, end))
        if ends:
            parts.append((1.0, 1.0))
        return _told(parts, begins, ends, before, fix)

    def in_time_and_band(self, fix: Fix, asked: Conditions) -> bool:
        return self.in_band(fix.altitude, asked) and _live(asked, fix.sample_time)


def counts(fix: Fix, geofence: Geofence) -> bool:
    """Whether the fix is accurate enough."""
    most = geofence.conditions.max_accuracy
    return most is None or not fix.accuracy > most


def _takes(asked: Conditions, fix: Fix) -> bool:
    """Whether the device is among those that the geofence asks for."""
    of_device = asked.devices is None or any(
        fnmatch.fnmatchcase(f"device-{fix.device}", pattern) for pattern in asked.devices
    )
    return of_device and all(
        fix.callsign != "" and any(fnmatch.fnmatchcase(fix.callsign, pattern) for pattern in patterns)
        for _, patterns in asked.device_properties or ()
    )


def _live(asked: Conditions, time: int) -> bool:
    return asked.schedule is None or bool(Schedule(asked.schedule).live(np.array([time]))[0])


def joined(before: Fix, fix: Fix, joining: Joining) -> bool:
    """Whether there is a path from one fix to the next."""
    gap = fix.sample_time - before.sample_time
    distance = WGS84.inv(*before.position, *fix.position)[2]
    return gap <= joining.max_gap and bool(distance <= joining.max_speed * gap / 1000)


def time_at(share: float, before: Fix, fix: Fix) -> int:
    """When a device is at a share of the path from one fix to the other: after the first, if only just."""
    gap = fix.sample_time - before.sample_time
    return before.sample_time + max(1, math.ceil(share * gap - 1e-6))


def area_crossings(geofence: Geofence, before: Fix, fix: Fix) -> list[tuple[float, bool]]:
    """Of a path and an area by themselves, which have tests of their own."""
    path = Paths(*(np.array([at]) for at in (*before.position, *fix.position)))
    found = _index_of(geofence).crossings(path)
    return list(zip(found.share.tolist(), found.entering.tolist(), strict=True))


@lru_cache(100)
def _index_of(geofence: Geofence) -> GeofenceIndex:
    return GeofenceIndex({1: geofence})


def _told(
    parts: list[tuple[float, float]], begins: bool, ends: bool, before: Fix, fix: Fix
) -> list[tuple[float, bool]]:
    kept: list[tuple[float, float]] = []
    for start, end in parts:
        if kept and _short(before, fix, kept[-1][1], start):
            kept[-1] = (kept[-1][0], end)
        else:
            kept.append((start, end))
    found = []
    for start, end in kept:
        enters, leaves = not (begins and start == 0), not (ends and end == 1)
        if not (enters and leaves and _short(before, fix, start, end)):
            found += [(start, True)] * enters + [(end, False)] * leaves
    return found


def _short(before: Fix, fix: Fix, start: float, end: float) -> bool:
    distance = WGS84.inv(*before.position, *fix.position)[2]
    climb = fix.altitude - before.altitude
    metres = math.hypot(distance, 0 if math.isnan(climb) else climb) * (end - start)
    gap = fix.sample_time - before.sample_time
    return metres < SHORTEST and gap * (end - start) < LEAST_MILLISECONDS
