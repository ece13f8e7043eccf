"""A file of geofences, read for a command: its faults one by one, as people read them."""

from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import Refused

if TYPE_CHECKING:
    from geofence.geofence import Geofence

SHOWN = 20
"""Refused lines, or faults of geofences, that are shown one by one."""


def read_geofence_file(path: Path) -> "list[Geofence]":
    """The geofences of a FeatureCollection. Raises Refused that lists the first faults."""
    from geofence.faults import InvalidGeofences  # noqa: PLC0415 - half a second of imports
    from geofence.reading.geojson import read_geofences  # noqa: PLC0415 - as above

    try:
        return read_geofences(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}") from None
    except InvalidGeofences as error:
        lines = [f"  {fault}" for fault in error.faults[:SHOWN]]
        if len(error.faults) > SHOWN:
            lines.append(f"  and {len(error.faults) - SHOWN:,} more")
        problem = f"{path} has {counted(len(error.faults), 'fault')}:"
        raise Refused("\n".join([problem, *lines])) from None


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
