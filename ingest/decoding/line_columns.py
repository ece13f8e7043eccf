"""Lines that are not odd, decoded by the thousand into the columns that offline evaluation needs."""

from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest import identifiers, timestamps
from ingest.decoding.device_positions import Bounds, metres
from ingest.decoding.faults import Fault


class LineColumns(NamedTuple):
    """Good lines as columns: 0-based line (int64), device slot (int32), ms, degrees, degrees."""

    line: NDArray[np.int64]
    device: NDArray[np.int32]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    def take(self, index: NDArray[np.int_] | NDArray[np.bool_]) -> "LineColumns":
        """The lines at `index`."""
        return LineColumns(
            self.line[index],
            self.device[index],
            self.sample_time[index],
            self.longitude[index],
            self.latitude[index],
        )

    @staticmethod
    def of_rows(rows: "list[LineRow]") -> "LineColumns":
        """Columns of these rows, of which there may be none."""
        line, device, sample_time, longitude, latitude = zip(*rows, strict=True) if rows else ((),) * 5
        return LineColumns(
            np.array(line, np.int64),
            np.array(device, np.int32),
            np.array(sample_time, np.int64),
            np.array(longitude, np.float64),
            np.array(latitude, np.float64),
        )

    @staticmethod
    def concatenate(parts: "list[LineColumns]") -> "LineColumns":
        """The lines of all parts, one part after the other."""
        if not parts:
            return LineColumns.of_rows([])
        line, device, sample_time, longitude, latitude = zip(*parts, strict=True)
        return LineColumns(
            np.concatenate(line),
            np.concatenate(device),
            np.concatenate(sample_time),
            np.concatenate(longitude),
            np.concatenate(latitude),
        )


LineRow: TypeAlias = tuple[int, int, int, float, float]
"""A row of LineColumns."""


class DeviceSlots(dict[str | None, int]):
    """The slot of each valid device id, numbered as they come; NO_DEVICE for all others."""

    def __init__(self, topic_device: str | None) -> None:
        super().__init__()
        self._topic_device = topic_device

    def __missing__(self, device_id: str | None) -> int:
        bound = self._topic_device
        if not identifiers.is_identifier(device_id) or (bound is not None and device_id != bound):
            return NO_DEVICE
        self[device_id] = slot = len(self)
        return slot


NO_DEVICE = -1
NO_TIME = np.iinfo(np.int64).min


class LineDecoder:
    """Decodes lines and finds slots for their devices."""

    def __init__(self, slots: DeviceSlots, bounds: Bounds) -> None:
        self._slots = slots
        self._bounds = bounds
        self._times = _Times()

    def columns(self, chunk: bytes, lines: NDArray[np.int64]) -> LineColumns | None:
        """The good lines among those in `chunk`, whose numbers are `lines`.

        None if they cannot be decoded, or are not one object a line. None of them may be odd.
        """
        try:
            fixes = _DECODER.decode_lines(chunk)
        except (ValueError, RecursionError):
            return None
        if len(fixes) != len(lines):
            return None
        longitude = np.array([fix.longitude for fix in fixes])
        latitude = np.array([fix.latitude for fix in fixes])
        time = np.array(list(map(self._times.__getitem__, [fix.timestamp for fix in fixes])), np.int64)
        good = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
        good &= (time >= self._bounds.earliest) & (time <= self._bounds.latest)
        accuracies = [fix.accuracy for fix in fixes]
        if accuracies.count(None) < len(fixes):
            good &= np.array([_is_accuracy(accuracy) for accuracy in accuracies])
        if not good.all():
            fixes = [fixes[index] for index in np.flatnonzero(good)]
        slots = np.array(list(map(self._slots.__getitem__, [fix.deviceId for fix in fixes])), np.int32)
        columns = LineColumns(lines[good], slots, time[good], longitude[good], latitude[good])
        return columns if (slots != NO_DEVICE).all() else columns.take(slots != NO_DEVICE)


class _Fix(msgspec.Struct, gc=False):
    """The members that offline evaluation needs, as the device names them."""

    timestamp: str | int | float
    latitude: float
    longitude: float
    deviceId: str | None = None  # noqa: N815 - the member's name
    accuracy: Any = None  # any JSON, judged below


_DECODER = msgspec.json.Decoder(_Fix)


class _Times(dict[str | int | float, int]):
    """Milliseconds of each timestamp lately seen, NO_TIME for what is none."""

    def __missing__(self, timestamp: str | float) -> int:
        time = timestamps.milliseconds(timestamp)
        if len(self) >= 100_000:
            self.clear()
        self[timestamp] = time = NO_TIME if time is None else time
        return time


def _is_accuracy(accuracy: object) -> bool:
    if accuracy is None:
        return True
    try:
        metres(accuracy)
    except Fault:
        return False
    return True
