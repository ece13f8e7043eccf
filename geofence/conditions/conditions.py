"""The conditions of a geofence: what it asks of a fix beside its place."""

from dataclasses import dataclass

from geofence.schedules.timetable import Timetable


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
    schedule: Timetable | None = None

    @property
    def property_names(self) -> list[str]:
        """The names of `device_properties`."""
        return [name for name, _ in self.device_properties or ()]


UNCONDITIONAL = Conditions()
