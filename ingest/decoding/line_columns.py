"""Lines that are not odd as columns, and their decoding by the thousand for offline evaluation."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest import identifiers, timestamps
from ingest.decoding.altitudes import altitudes_of
from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.device_positions import Bounds, metres
from ingest.decoding.faults import Fault
from ingest.decoding.usual_times import usual_times


class LineColumns(NamedTuple):
    """Good lines as columns: 0-based line (int64), device slot (int32), ms, degrees, degrees, metres, metres,
    and the text of their properties, or of what is asked for of these, '' where there is nothing of it.

    Altitude and accuracy are NaN where unknown, and altitude where it is not asked for.
    """

    line: NDArray[np.int64]
    device: NDArray[np.int32]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]

    def take(self, index: NDArray[np.int_] | NDArray[np.bool_]) -> "LineColumns":
        """The lines at `index`."""
        columns: list[Any] = list(self)
        return LineColumns(*(column[index] for column in columns))

    @staticmethod
    def of_rows(rows: "list[LineRow]") -> "LineColumns":
        """Columns of these rows, of which there may be none."""
        columns = zip(*rows, strict=True) if rows else [()] * len(KINDS)
        return LineColumns(*(np.array(column, kind) for column, kind in zip(columns, KINDS, strict=True)))

    @staticmethod
    def concatenate(parts: "list[LineColumns]") -> "LineColumns":
        """The lines of all parts, one part after the other."""
        if not parts:
            return LineColumns.of_rows([])
        return LineColumns(*map(_joined, zip(*parts, strict=True)))


def repeated(value: float | str, kind: type[Any], count: int) -> NDArray[Any]:
    """A column of a kind that holds one value so many times, in the memory of one."""
    return np.broadcast_to(np.array(value, kind), count)


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One after the other; what repeats one value goes on to."""
    if all(len(column) > 1 and column.strides == (0,) for column in columns):
        return np.broadcast_to(columns[0][:1], sum(map(len, columns)))
    return np.concatenate(columns)


KINDS: Sequence[Any] = (np.int64, np.int32, np.int64, *[np.float64] * 4, np.object_)

LineRow: TypeAlias = tuple[int, int, int, float, float, float, float, str]
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

    def __init__(
        self, slots: DeviceSlots, bounds: Bounds, *, altitudes: bool, asked: AskedProperties
    ) -> None:
        """altitudes: whether they are asked for. asked: which properties are."""
        self._slots = slots
        self._bounds = bounds
        self._altitudes = altitudes
        self._asked = asked
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_HighFix if altitudes else _Fix)
        self._times = _Times()

    def columns(self, chunk: bytes, lines: NDArray[np.int64]) -> LineColumns | None:
        """The good lines among those in `chunk`, whose numbers are `lines`.

        None if they cannot be decoded, or are not one object a line. None of them may be odd.
        """
        try:
            fixes = self._decoder.decode_lines(chunk)
        except (ValueError, RecursionError):
            return None
        if len(fixes) != len(lines):
            return None
        longitude = np.array([fix.longitude for fix in fixes])
        latitude = np.array([fix.latitude for fix in fixes])
        time = self._milliseconds([fix.timestamp for fix in fixes])
        good = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
        good &= (time >= self._bounds.earliest) & (time <= self._bounds.latest)
        altitude = accuracy = repeated(np.nan, np.float64, len(fixes))
        if self._altitudes and b'"altitude"' in chunk:
            altitude = altitudes_of([fix.altitude for fix in fixes])
        if b'"accuracy"' in chunk:  # a name written with escapes would be odd
            accuracy = _accuracies([fix.accuracy for fix in fixes])
            good &= accuracy != NO_ACCURACY
        columns = [time, longitude, latitude, altitude, accuracy]
        if not good.all():
            fixes = [fixes[index] for index in np.flatnonzero(good)]
            lines, *columns = (column[good] for column in (lines, *columns))
        slots = np.array(list(map(self._slots.__getitem__, [fix.deviceId for fix in fixes])), np.int32)
        columns.append(
            self._asked.of_lines(chunk)[good] if len(self._asked) else repeated("", np.object_, len(fixes))
        )
        found = LineColumns(lines, slots, *columns)
        return found if (slots != NO_DEVICE).all() else found.take(slots != NO_DEVICE)

    def _milliseconds(self, sent: list[str | int | float]) -> NDArray[np.int64]:
        """The time of each, NO_TIME for what is none."""
        usual = usual_times(sent)
        return np.array(list(map(self._times.__getitem__, sent)), np.int64) if usual is None else usual


class _Fix(msgspec.Struct, gc=False):
    """The members that offline evaluation needs, as the device names them."""

    timestamp: str | int | float
    latitude: float
    longitude: float
    deviceId: str | None = None  # noqa: N815 - the member's name
    accuracy: Any = None  # any JSON, judged below


class _HighFix(_Fix, gc=False):
    altitude: Any = None  # any JSON, of which all but numbers are none


class _Times(dict[str | int | float, int]):
    """Milliseconds of each timestamp lately seen, NO_TIME for what is none."""

    def __missing__(self, timestamp: str | float) -> int:
        time = timestamps.milliseconds(timestamp)
        if len(self) >= 100_000:
            self.clear()
        self[timestamp] = time = NO_TIME if time is None else time
        return time


NO_ACCURACY = -1.0


def _accuracies(sent: list[object]) -> NDArray[np.float64]:
    """Metres, NaN where absent, NO_ACCURACY for what is none."""
    if sent.count(None) == len(sent):
        return np.full(len(sent), np.nan)
    return np.array(list(map(_accuracy, sent)), np.float64)


def _accuracy(sent: object) -> float:
    if sent is None:
        return np.nan
    try:
        return metres(sent)
    except Fault:
        return NO_ACCURACY
