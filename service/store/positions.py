"""History: one row a (device, sample_time), and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select, true

from ingest.topics import SHARDS
from service.fixes import FIX_COLUMNS, Fixes
from service.store.columns import delete_keys, insert_columns, update_columns, wanted_keys
from service.store.schema import WAITING, device, position


class StoredPosition(NamedTuple):
    """What decides whether another fix at the same time is a duplicate or a conflict."""

    longitude: float
    latitude: float
    accuracy: float | None
    properties: str


def rows_already(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64]
) -> dict[int, StoredPosition]:
    """Which of these fixes are rows already: index -> row."""
    keys = {"device_key": device_key.tolist(), "sample_time": sample_time.tolist()}
    wanted, values = wanted_keys(connection, position, keys)
    here = and_(*(position.c[name] == wanted.c[name] for name in keys), _days(sample_time))
    statement = select(wanted.c.place, *(position.c[name] for name in StoredPosition._fields))
    rows = connection.execute(statement.join_from(wanted, position, here), values)
    return {place: StoredPosition(*row) for place, *row in rows}


def insert_positions(
    connection: Connection,
    fixes: Fixes,
    device_key: NDArray[np.int64],
    revision: int | None,
    late: NDArray[np.bool_],
) -> None:
    """Adds new rows. revision: met at evaluation, where it happens in the same commit; None: they wait."""
    if not len(fixes):
        return
    fate = _fate(late, revision)
    insert_columns(connection, position, {"device_key": device_key.tolist(), **fixes.columns(), **fate})


def mark_evaluated(
    connection: Connection,
    device_key: NDArray[np.int64],
    sample_time: NDArray[np.int64],
    revision: int,
    late: NDArray[np.bool_],
) -> None:
    """Fixes that waited have had their turn: evaluated at a revision, or found to be late."""
    if not len(sample_time):
        return
    keys = {"device_key": device_key.tolist(), "sample_time": sample_time.tolist()}
    update_columns(connection, position, keys, _fate(late, revision), _days(sample_time))


def delete_filtered(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64]
) -> None:
    """Fixes that waited have had their turn, and are not to be stored."""
    keys = {"device_key": device_key.tolist(), "sample_time": sample_time.tolist()}
    delete_keys(connection, position, keys, _days(sample_time))


def _days(sample_time: NDArray[np.int64]) -> ColumnElement[bool]:
    """Only the partitions of these days (ms) are looked at: what is joined with says nothing of them."""
    return position.c.sample_time.between(int(sample_time.min()), int(sample_time.max()))


def _fate(late: NDArray[np.bool_], revision: int | None) -> dict[str, list[object]]:
    met = [None if is_late else revision for is_late in late.tolist()]
    return {"revision": met, "late": late.tolist()}


def any_waiting(connection: Connection, shards: Collection[int]) -> bool:
    """Whether fixes of devices of these shards wait."""
    return bool(connection.scalar(select(exists(select(position.c.device_key).where(WAITING, _of(shards))))))


def last_waiting_receipt(connection: Connection, shards: Collection[int]) -> int | None:
    """The greatest received_time among the fixes that wait, of devices of these shards."""
    newest = select(position.c.received_time).where(WAITING, _of(shards))
    last: int | None = connection.scalar(newest.order_by(position.c.received_time.desc()).limit(1))
    return last


def _of(shards: Collection[int]) -> ColumnElement[bool]:
    """Positions of devices of these shards; nothing is looked up where that is all."""
    if len(shards) == SHARDS:
        return true()
    return exists(
        select(device.c.key).where(device.c.key == position.c.device_key, device.c.shard.in_(sorted(shards)))
    )


class WaitingFixes(NamedTuple):
    """Fixes of one tracker that wait for their turn, in columns; `fixes` are FIX_COLUMNS."""

    device_id: Sequence[str]
    fixes: Sequence[Sequence[object]]


def due(
    connection: Connection, received_until: int, devices: int, shards: Collection[int]
) -> Mapping[int, WaitingFixes]:
    """Fixes whose turn has come, of up to `devices` devices of these shards, by key of their tracker.

    Those received at or before `received_until`, and all that wait of the same device with an earlier
    sample_time; by device and sample_time.
    """
    waited = (
        select(position.c.device_key, position.c.sample_time)
        .where(WAITING, position.c.received_time <= received_until, _of(shards))
        .cte("waited")
        .prefix_with("MATERIALIZED")  # else SQLite reads all history: that comes grouped by device
    )
    turn = (
        select(waited.c.device_key, func.max(waited.c.sample_time).label("until"))
        .group_by(waited.c.device_key)
        .limit(devices)
        .subquery()
    )
    statement = (
        select(device.c.tracker_key, device.c.device_id, *(position.c[name] for name in FIX_COLUMNS))
        .join(turn, position.c.device_key == turn.c.device_key)
        .join(device, device.c.key == position.c.device_key)
        .where(WAITING, position.c.sample_time <= turn.c.until)
        .order_by(position.c.device_key, position.c.sample_time)
    )
    rows: dict[int, list[Sequence[Any]]] = {}
    for tracker_key, *row in connection.execute(statement):
        rows.setdefault(tracker_key, []).append(row)
    return {key: _in_columns(of_tracker) for key, of_tracker in rows.items()}


def _in_columns(rows: Sequence[Sequence[Any]]) -> WaitingFixes:
    device_id, *columns = zip(*rows, strict=True)
    return WaitingFixes(device_id, columns)


def delete_positions_before(connection: Connection, device_key: int, sample_time: int) -> int:
    """Drops a device's history before `sample_time`, but what still waits; answers how many rows."""
    return connection.execute(
        delete(position).where(
            position.c.device_key == device_key, position.c.sample_time < sample_time, ~WAITING
        )
    ).rowcount
