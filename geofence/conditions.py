"""The conditions of a geofence: what it asks of a fix beside its place."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from geofence.schedules.schedule import Schedule

REMEMBERED = 100_000
"""Devices whose answer a filter keeps."""

NOTHING = r"(?!)"
"""Matches no text."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """None where a geofence asks nothing.

    `min_altitude` and `max_altitude` (metres above mean sea level) make it a volume, to which both belong.
    A fix whose accuracy is known and greater than `max_accuracy` (metres) says nothing about this geofence:
    what the device was inside of before stays so. Of other devices than `devices` says, none is ever inside.
    A DWELL is told of a device that has been inside for `dwell_seconds`. An EXIT waits for a fix that comes
    `exit_after_seconds` after the device went out, and is `exit_after_metres` away. Fixes without one of
    `device_properties`, or with one that none of the patterns beside its name matches, are never inside, nor
    are those measured while `schedule` has no window open.
    """

    min_altitude: float | None = None
    max_altitude: float | None = None
    max_accuracy: float | None = None
    devices: tuple[str, ...] | None = None
    dwell_seconds: float | None = None
    exit_after_seconds: float | None = None
    exit_after_metres: float | None = None
    device_properties: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    schedule: Schedule | None = None


UNCONDITIONAL = Conditions()


def has_wildcards(pattern: str) -> bool:
    """Whether it is the pattern of more than one device id."""
    return "*" in pattern or "?" in pattern


class DeviceFilter:
    """Devices by patterns of their ids: `*` is any text, `?` one character, all else itself, case and all."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._ids = {pattern for pattern in patterns if not has_wildcards(pattern)}
        self._patterns = [pattern for pattern in patterns if has_wildcards(pattern)]
        self._answers: dict[str, bool] = {}

    def takes(self, device_id: str) -> bool:
        """Whether one of the patterns is this id's."""
        answer = self._answers.get(device_id)
        if answer is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            answer = device_id in self._ids or self._pattern.match(device_id) is not None
            self._answers[device_id] = answer
        return answer

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when it is first needed, which takes some milliseconds."""
        return re.compile("|".join(map(fnmatch.translate, self._patterns)) or NOTHING)
