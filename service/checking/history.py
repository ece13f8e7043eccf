"""All devices with all that is stored of them, a part at a time, however much it is.

A part has whole devices, or a stretch of one device of which more is stored than fits into a part.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, true, tuple_

from geofence.columns.table import Table
from service.store.schema import device, passed_over, position
from service.store.snapshot import Snapshot

FIXES_AT_ONCE = 50_000
DEVICES_AT_ONCE = 5_000
NONE = -1
"""The revision of a fix that met none."""
LAST = np.iinfo(np.int64).max


class StoredDevice(NamedTuple):
    """A row of device, and what is kept of fixes that had their turn and are not stored: until when, which
    watermark is that of the fix kept there, and whether all that was evaluated is stored."""

    key: int
    tracker_key: int
    device_id: str
    shard: int
    watermark: int | None
    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str
    until: int | None = None
    passed_watermark: int | None = None
    all_stored: bool = True


OF_PASSED_OVER = ("until", "passed_watermark", "all_stored")


@dataclass(frozen=True, slots=True)
class StoredFixes(Table):
    """Rows of position by device, then sample_time: milliseconds, degrees, metres (NaN unknown)."""

    device_key: NDArray[np.int64]
    sample_time: NDArray[np.int64]
    received_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]
    revision: NDArray[np.int64]
    late: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "StoredFixes":
        """Rows as the database has them."""
        columns = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
        values = dict(zip(FIELDS, columns, strict=True))
        values["revision"] = [NONE if each is None else each for each in values["revision"]]
        return cls(*(np.array(values[name], kind) for name, kind in FIELDS.items()))


FIELDS: dict[str, Any] = {
    "device_key": np.int64,
    "sample_time": np.int64,
    "received_time": np.int64,
    "longitude": np.float64,
    "latitude": np.float64,
    "accuracy": np.float64,
    "properties": np.object_,
    "revision": np.int64,
    "late": np.bool_,
}
COLUMNS = tuple(position.c[name] for name in FIELDS)


class HistoryPart(NamedTuple):
    """`fixes` of `devices`, and of devices that are not there. `begins`, `ends`: whether these are their
    first, and their last."""

    devices: list[StoredDevice]
    fixes: StoredFixes
    begins: bool = True
    ends: bool = True


def history_parts(state: Snapshot, fixes_at_once: int = FIXES_AT_ONCE) -> Iterator[HistoryPart]:
    """All of it, by device key. Raises StoreAway."""
    after: int | None = -1
    while after is not None:
        devices = _devices(state, after)
        last = devices[-1].key if len(devices) == DEVICES_AT_ONCE else None
        yield from _parts(state, devices, after, LAST if last is None else last, fixes_at_once)
        after = last


def _devices(state: Snapshot, after: int) -> list[StoredDevice]:
    columns = (device.c[name] for name in StoredDevice._fields if name not in OF_PASSED_OVER)
    aside = (passed_over.c.until, passed_over.c.watermark, func.coalesce(passed_over.c.all_stored, true()))
    statement = (
        select(*columns, *aside)
        .outerjoin(passed_over, passed_over.c.device_key == device.c.key)
        .where(device.c.key > after)
        .order_by(device.c.key)
        .limit(DEVICES_AT_ONCE)
    )
    with state.read() as connection:
        return [StoredDevice(*row) for row in connection.execute(statement)]


def _parts(
    state: Snapshot, devices: list[StoredDevice], after: int, last: int, fixes_at_once: int
) -> Iterator[HistoryPart]:
    """Of the devices with keys above `after` and up to `last`."""
    unfinished: int | None = None  # the device of which a stretch has been given
    rest = StoredFixes.of([])
    place = (after, LAST)
    more = True
    while more:
        fixes = _fixes(state, place, last, fixes_at_once)
        more = len(fixes) == fixes_at_once
        if len(fixes):
            place = (int(fixes.device_key[-1]), int(fixes.sample_time[-1]))
        fixes = StoredFixes.joined([rest, fixes])
        if unfinished is not None:
            own = int(np.searchsorted(fixes.device_key, unfinished, side="right"))
            ends = own < len(fixes) or not more
            of_one = [each for each in devices if each.key == unfinished]
            yield HistoryPart(of_one, fixes.take(slice(own)), begins=False, ends=ends)
            fixes = fixes.take(slice(own, None))
            if not ends:
                rest = fixes
                continue
            after, unfinished = unfinished, None
        if not more:
            yield HistoryPart([each for each in devices if each.key > after], fixes)
            return
        if not len(fixes):
            rest = fixes
            continue
        newest = int(fixes.device_key[-1])
        whole = int(np.searchsorted(fixes.device_key, newest))
        if whole or after < newest - 1:
            before = [each for each in devices if after < each.key < newest]
            if before or whole:
                yield HistoryPart(before, fixes.take(slice(whole)))
            after = newest - 1
        rest = fixes.take(slice(whole, None))
        if len(rest) >= fixes_at_once:
            yield HistoryPart([each for each in devices if each.key == newest], rest, begins=True, ends=False)
            unfinished, rest = newest, StoredFixes.of([])


def _fixes(state: Snapshot, after: tuple[int, int], last: int, limit: int) -> StoredFixes:
    statement = (
        select(*COLUMNS)
        .where(tuple_(position.c.device_key, position.c.sample_time) > tuple_(*after))
        .where(position.c.device_key <= last)
        .order_by(position.c.device_key, position.c.sample_time)
        .limit(limit)
    )
    with state.read() as connection:
        return StoredFixes.of(connection.execute(statement).all())
