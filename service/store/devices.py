"""Devices: latest position, watermark and inside set; forgetting one."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.dialects import postgresql

from geofence.fixes.last_fixes import LastFixes
from ingest.decoding.altitudes import altitudes_among
from ingest.topics import SHARDS
from service.fixes import FIX_COLUMNS, Fixes
from service.store.columns import delete_keys, on_postgres, put_columns, update_columns
from service.store.reading.links import CURRENT
from service.store.schema import (
    alert,
    device,
    event,
    geofence,
    inside,
    outbox,
    passed_over,
    position,
    position_update,
    reject,
    tombstone,
    tracker_consumer,
)

PAIR = ("device_key", "geofence_key")
READ_AT_ONCE = 10_000
KEYS_AT_ONCE = 1_000


class KnownDevice(NamedTuple):
    """What the tracker keeps in memory of a device; times in milliseconds."""

    key: int
    device_id: str
    watermark: int | None
    latest: int


class Among(NamedTuple):
    """Which devices of a tracker: a condition on rows of `device`, and the values to execute it with."""

    condition: ColumnElement[bool]
    values: dict[str, Any]


def of_shards(shards: Collection[int]) -> Among:
    """Devices by what evaluates them."""
    return Among(true() if len(shards) == SHARDS else device.c.shard.in_(sorted(shards)), {})


def of_ids(connection: Connection, device_ids: Iterable[str], table: Table = device) -> Among:
    """Devices by name, in a table that has a column of them."""
    names = list(device_ids)
    if on_postgres(connection):
        given = bindparam("device_ids", type_=postgresql.ARRAY(table.c.device_id.type))
        return Among(table.c.device_id == func.any(given), {"device_ids": names})
    each = func.json_each(bindparam("device_ids")).table_valued("value")
    return Among(table.c.device_id.in_(select(each.c.value)), {"device_ids": json.dumps(names)})


def known_devices(connection: Connection, tracker_key: int, among: Among) -> Sequence[KnownDevice]:
    """By key."""
    statement = select(device.c.key, device.c.device_id, device.c.watermark, device.c.sample_time)
    wanted = statement.where(device.c.tracker_key == tracker_key, among.condition).order_by(device.c.key)
    return [KnownDevice(*row) for row in connection.execute(wanted, among.values)]


def latest_time(connection: Connection, tracker_key: int, device_id: str) -> int | None:
    """The sample_time (ms) of a device's latest position; None where there is none."""
    of_device = (device.c.tracker_key == tracker_key) & (device.c.device_id == device_id)
    time: int | None = connection.scalar(select(device.c.sample_time).where(of_device))
    return time


def device_keys(connection: Connection, after: int, limit: int) -> Sequence[int]:
    """The devices of all trackers, by key."""
    return connection.scalars(
        select(device.c.key).where(device.c.key > after).order_by(device.c.key).limit(limit)
    ).all()


class Visit(NamedTuple):
    """A device inside of a geofence; times in milliseconds. Without a time nothing is remembered of it."""

    device_key: int
    geofence_key: int
    entered_time: int | None = None
    outside_since: int | None = None
    dwelled: bool = False


def visits(connection: Connection, tracker_key: int, among: Among) -> Sequence[Visit]:
    """All that is inside something now."""
    statement = standing_visits().where(device.c.tracker_key == tracker_key, among.condition)
    return [Visit(*row) for row in connection.execute(statement, among.values)]


def standing_visits(*more: ColumnElement[Any]) -> Select[Any]:
    """Columns of Visit, and more, of what is inside a geofence that is there, of a collection that is linked.

    On PostgreSQL a commit may add another row of inside while its geofence is taken away.
    """
    return (
        select(*(inside.c[name] for name in Visit._fields), *more)
        .join(device, device.c.key == inside.c.device_key)
        .join(geofence, geofence.c.key == inside.c.geofence_key)
        .join(
            tracker_consumer,
            (tracker_consumer.c.tracker_key == device.c.tracker_key)
            & (tracker_consumer.c.collection_key == geofence.c.collection_key)
            & CURRENT,
        )
        .where(geofence.c.deleted_revision.is_(None))
    )


def delete_ended_visits(connection: Connection) -> int:
    """What commits wrote while others took its geofence away or ended its link; answers how many rows."""
    standing = standing_visits().subquery()
    stands = exists().where(*(standing.c[name] == inside.c[name] for name in PAIR))
    return connection.execute(delete(inside).where(~stands)).rowcount


class EvaluatedFix(NamedTuple):
    """The fix that was evaluated last of a device. Degrees, metres; `properties` as JSON text, which has the
    altitude, if `altitude` is None."""

    device_key: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str
    altitude: float | None


def as_last_fixes(fixes: Sequence[EvaluatedFix]) -> LastFixes:
    """These as columns, in their order."""
    given = np.array([fix.altitude for fix in fixes], np.float64)  # None becomes NaN
    return LastFixes(
        np.array([fix.longitude for fix in fixes], np.float64),
        np.array([fix.latitude for fix in fixes], np.float64),
        np.where(np.isnan(given), altitudes_among(fix.properties for fix in fixes), given),
        np.array([fix.accuracy for fix in fixes], np.float64),
    )


def last_evaluated(
    connection: Connection, tracker_key: int, among: Among
) -> Iterator[Sequence[EvaluatedFix]]:
    """The fix at the watermark of each device, many at once.

    Where history does not go back so far, it may still be the latest that is known of the device. Where what
    is at the watermark was never stored, it is kept aside.
    """
    aside, stored = passed_over.c.longitude.is_not(None), position.c.device_key.is_not(None)
    measured = (
        case((aside, passed_over.c[name]), (stored, position.c[name]), else_=device.c[name])
        for name in ("longitude", "latitude", "accuracy")
    )
    properties = case((aside, ""), (stored, position.c.properties), else_=device.c.properties)
    at_watermark = (position.c.device_key == device.c.key) & (position.c.sample_time == device.c.watermark)
    kept_aside = (passed_over.c.device_key == device.c.key) & (passed_over.c.watermark == device.c.watermark)
    statement = (
        select(device.c.key, *measured, properties, passed_over.c.altitude)
        .outerjoin(position, at_watermark)
        .outerjoin(passed_over, kept_aside)
        .where(
            device.c.tracker_key == tracker_key,
            aside | stored | (device.c.sample_time == device.c.watermark),
            among.condition,
        )
    )
    few_at_once = statement.execution_options(yield_per=READ_AT_ONCE)
    for rows in connection.execute(few_at_once, among.values).partitions():
        yield [EvaluatedFix._make(row) for row in rows]


def move_latest_back(connection: Connection, device_keys: Sequence[int]) -> dict[int, int]:
    """Makes the newest position stored the latest of these devices, which nobody else moves meanwhile.

    Answers its sample_time by device, where there is one: where there is none the latest stays.
    """
    stored = position.alias("stored")
    newest = (
        select(stored.c.sample_time)
        .where(stored.c.device_key == device.c.key)
        .order_by(stored.c.sample_time.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = [position.c[name] for name in FIX_COLUMNS]
    at = (position.c.device_key == device.c.key) & (position.c.sample_time == newest)
    moved: dict[int, int] = {}
    for start in range(0, len(device_keys), KEYS_AT_ONCE):
        some = device.c.key.in_(device_keys[start : start + KEYS_AT_ONCE])
        rows = connection.execute(
            select(device.c.key, *columns).join_from(device, position, at).where(some)
        ).all()
        if rows:
            keys, *values = zip(*rows, strict=True)
            to = dict(zip(FIX_COLUMNS, values, strict=True))
            update_columns(connection, device, {"key": keys}, to)
            moved.update(zip(keys, to["sample_time"], strict=True))
    return moved


def insert_devices(connection: Connection, rows: Sequence[dict[str, object]]) -> list[int]:
    """Adds devices that were not known; answers their keys, in the same order.

    Raises IntegrityError where somebody else has added one meanwhile.
    """
    statement = insert(device).returning(device.c.key, sort_by_parameter_order=True)
    return list(connection.scalars(statement, list(rows)))


def update_devices(
    connection: Connection,
    device_key: NDArray[np.int64],
    latest: Fixes | None,
    watermark: NDArray[np.int64] | None,
) -> None:
    """Sets the latest position of devices, a fix of each, or their watermarks (ms), or both.

    A position that somebody else stored meanwhile stays the latest where it is newer.
    """
    if not len(device_key):
        return
    columns = {} if latest is None else latest.columns()
    newer = dict.fromkeys(columns, "sample_time")
    if watermark is not None:
        columns["watermark"] = watermark.tolist()
    update_columns(connection, device, {"key": device_key.tolist()}, columns, newer=newer)


def change_inside(connection: Connection, visits: Sequence[Visit], left: Sequence[tuple[int, int]]) -> None:
    """Visits as they are from now on, and pairs of (device key, geofence key) that no longer hold."""
    if left:
        delete_keys(connection, inside, dict(zip(PAIR, zip(*left, strict=True), strict=True)))
    if visits:
        columns: dict[str, Sequence[Any]] = dict(zip(Visit._fields, zip(*visits, strict=True), strict=True))
        pairs = {name: columns.pop(name) for name in PAIR}
        put_columns(connection, inside, pairs, columns)


def leave_all(connection: Connection, device_keys: Sequence[int]) -> None:
    """These devices are inside of nothing any more."""
    for start in range(0, len(device_keys), KEYS_AT_ONCE):
        some = device_keys[start : start + KEYS_AT_ONCE]
        connection.execute(delete(inside).where(inside.c.device_key.in_(some)))


def end_visits(
    connection: Connection, tracker_key: int, geofence_keys: Sequence[int], shards: Collection[int]
) -> None:
    """Nothing of the tracker's devices of these shards is inside these geofences any more."""
    devices = select(device.c.key).where(device.c.tracker_key == tracker_key, of_shards(shards).condition)
    for start in range(0, len(geofence_keys), KEYS_AT_ONCE):
        some = inside.c.geofence_key.in_(geofence_keys[start : start + KEYS_AT_ONCE])
        connection.execute(delete(inside).where(some, inside.c.device_key.in_(devices)))


def tombstones(
    connection: Connection, tracker_key: int, device_ids: Sequence[str] | None = None
) -> dict[str, int]:
    """Forgotten devices, of these or of all: id -> the sample_time up to which their fixes are refused."""
    statement = select(tombstone.c.device_id, tombstone.c.forgotten_time)
    values: dict[str, Any] = {}
    if device_ids is not None:
        among = of_ids(connection, device_ids, tombstone)
        statement, values = statement.where(among.condition), among.values
    rows = connection.execute(statement.where(tombstone.c.tracker_key == tracker_key), values)
    return {device_id: forgotten for device_id, forgotten in rows}


def delete_unreferenced(connection: Connection, device_keys: Select[tuple[int]]) -> None:
    """Rows of devices that no foreign key takes away with them: positions have none on PostgreSQL."""
    for table in (position_update, position):
        connection.execute(delete(table).where(table.c.device_key.in_(device_keys)))


def erase_device(connection: Connection, tracker_key: int, device_id: str, forgotten_time: int) -> int:
    """Erases a device with all that is known of it, leaves its tombstone, answers how many rows knew of it.

    Alerts that told of other devices too stay, without it.
    """
    of_device = (device.c.tracker_key == tracker_key) & (device.c.device_id == device_id)
    told = set(
        connection.scalars(
            select(outbox.c.alert_key)
            .join(event, event.c.seq == outbox.c.event_seq)
            .join(device, device.c.key == event.c.device_key)
            .where(of_device, outbox.c.alert_key.is_not(None))
            .distinct()
        )
    )
    delete_unreferenced(connection, select(device.c.key).where(of_device))
    erased = connection.execute(delete(device).where(of_device)).rowcount  # the rest of it goes by cascade
    for alert_key in told:
        still_told = select(outbox.c.key).where(outbox.c.alert_key == alert_key).exists()
        connection.execute(delete(alert).where(alert.c.key == alert_key, ~still_told))
    erased += connection.execute(
        delete(reject).where(reject.c.tracker_key == tracker_key, reject.c.device_id == device_id)
    ).rowcount
    if erased:
        named: dict[str, Sequence[Any]] = {"tracker_key": [tracker_key], "device_id": [device_id]}
        put_columns(connection, tombstone, named, {"forgotten_time": [forgotten_time]})
    return erased
