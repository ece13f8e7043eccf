"""The fixes of an export, in columns, those of each tracker by themselves."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import nan
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ingest import identifiers, timestamps
from ingest.decoding.altitudes import altitude_of
from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.faults import shown
from service.rewinding.lines import LineFaults, LineReader, reason_for
from service.rewinding.revisions import ExportedRevisions


@dataclass(frozen=True, slots=True)
class RewoundFixes:
    """Evaluated fixes of one tracker as columns of length n.

    `device` indexes `device_ids`. `sample_time` is in ms since the epoch (UTC), `longitude` and `latitude` in
    degrees (WGS84), `altitude` (above mean sea level) and `accuracy` in metres, NaN where unknown.
    `properties` are texts of JSON objects with what is asked for, '' where there is nothing of it. `revision`
    is what each met.
    """

    device_ids: list[str]
    device: NDArray[np.int32]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]
    revision: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.device)

    def take(self, index: NDArray[np.int64]) -> "RewoundFixes":
        """The fixes at `index`, of the same devices."""
        return RewoundFixes(
            self.device_ids,
            *(getattr(self, column.name)[index] for column in fields(self) if column.name != "device_ids"),
        )


@dataclass(frozen=True, slots=True)
class ExportedFixes:
    """By the name of their tracker those that were evaluated; `unmet` counts those that met no revision."""

    trackers: dict[str, RewoundFixes]
    unmet: int

    def __len__(self) -> int:
        return sum(map(len, self.trackers.values()))


def read_fixes(
    path: Path,
    revisions: ExportedRevisions,
    faults: LineFaults,
    progress: Callable[[int], object] = lambda _: None,
) -> ExportedFixes:
    """What the file at `path` says; what is wrong in it goes to `faults`. Raises UnreadableFile.

    `revisions` are those that a fix can have met.
    """
    slots, asked = _Slots(), AskedProperties(revisions.property_names)
    parts: list[NDArray[np.void]] = []
    unmet = 0
    for at, lines in LineReader(FixLine, faults).read(path, progress):
        table = _table(lines, slots, asked)
        met = table["revision"] != NO_REVISION
        good = (table["slot"] != NO_SLOT) & (table["sample_time"] != NO_TIME)
        good &= ~met | np.isin(table["revision"], revisions.numbers)
        for index in np.flatnonzero(~good).tolist():
            _refuse(lines[index], at[index], faults)
        unmet += int((good & ~met).sum())
        parts.append(table[good & met])
    return ExportedFixes(_by_tracker(np.concatenate([np.empty(0, ROW), *parts]), slots), unmet)


class FixLine(msgspec.Struct, rename="camel", gc=False):
    """A line of the file."""

    tracker_name: str
    device_id: str
    sample_time: str
    position: tuple[
        Annotated[float, msgspec.Meta(ge=-180, le=180)], Annotated[float, msgspec.Meta(ge=-90, le=90)]
    ]
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None
    accuracy: Annotated[float, msgspec.Meta(ge=0)] | None = None
    properties: dict[str, msgspec.Raw] = {}


NO_SLOT = -1
NO_TIME = np.iinfo(np.int64).min
NO_REVISION = -1

COLUMNS: list[tuple[str, DTypeLike]] = [
    ("slot", np.int32),
    ("sample_time", np.int64),
    ("longitude", np.float64),
    ("latitude", np.float64),
    ("altitude", np.float64),
    ("accuracy", np.float64),
    ("properties", np.object_),
    ("revision", np.int64),
]
ROW = np.dtype(COLUMNS)


class _Slots(dict[tuple[str, str], int]):
    """The slot of each tracker and device, numbered as they come; NO_SLOT for names that cannot be."""

    def __missing__(self, names: tuple[str, str]) -> int:
        if not all(map(identifiers.is_identifier, names)):
            return NO_SLOT
        self[names] = slot = len(self)
        return slot


def _table(lines: list[FixLine], slots: _Slots, asked: AskedProperties) -> NDArray[np.void]:
    table = np.empty(len(lines), ROW)
    names = [(line.tracker_name, line.device_id) for line in lines]
    times = [timestamps.milliseconds_of_text(line.sample_time) for line in lines]
    table["slot"] = list(map(slots.__getitem__, names))
    table["sample_time"] = [NO_TIME if time is None else time for time in times]
    table["longitude"] = [line.position[0] for line in lines]
    table["latitude"] = [line.position[1] for line in lines]
    table["altitude"] = [_altitude(line.properties.get("altitude")) for line in lines]
    table["properties"] = [asked.text(line.properties) for line in lines] if len(asked) else ""
    table["accuracy"] = [np.nan if line.accuracy is None else line.accuracy for line in lines]
    table["revision"] = [NO_REVISION if line.revision is None else line.revision for line in lines]
    return table


def _altitude(reported: msgspec.Raw | None) -> float:
    """Metres, NaN where none is known; nor of a number that no double holds, which was never stored."""
    try:
        return nan if reported is None else altitude_of(msgspec.json.decode(reported))
    except (OverflowError, RecursionError, ValueError):
        return nan


def _refuse(line: FixLine, number: int, faults: LineFaults) -> None:
    """Names what is wrong with a line whose shape is right."""
    names = {"trackerName": line.tracker_name, "deviceId": line.device_id}
    wrong = [(member, name) for member, name in names.items() if not identifiers.is_identifier(name)]
    if wrong:
        member, name = wrong[0]
        faults.add(number, reason_for(member), f"{member} {shown(name)}", identifiers.EXPECTED)
    elif timestamps.milliseconds_of_text(line.sample_time) is None:
        expected = "expected ISO 8601 with zone (2018-08-01T05:00:00.000Z)"
        faults.add(number, "bad_sample_time", f"sampleTime {shown(line.sample_time)}", expected)
    else:
        expected = "expected one that the file of revisions has: export both again"
        faults.add(number, "unknown_revision", f"revision {line.revision}", expected)


def _by_tracker(table: NDArray[np.void], slots: _Slots) -> dict[str, RewoundFixes]:
    """The rows of each tracker, in their order, its devices numbered anew."""
    of_tracker: dict[str, list[tuple[str, int]]] = {}
    for (tracker, device_id), slot in slots.items():
        of_tracker.setdefault(tracker, []).append((device_id, slot))
    return {
        tracker: _fixes_of(table, dict(devices), len(slots))
        for tracker, devices in sorted(of_tracker.items())
    }


def _fixes_of(table: NDArray[np.void], devices: dict[str, int], slots: int) -> RewoundFixes:
    device = np.full(slots, NO_SLOT, np.int32)
    device[list(devices.values())] = np.arange(len(devices))
    rows = table[device[table["slot"]] != NO_SLOT]
    columns = (np.ascontiguousarray(rows[name]) for name in (ROW.names or ())[1:])
    return RewoundFixes(list(devices), device[rows["slot"]], *columns)
