"""Devices: latest position, watermark and inside set; forgetting one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from service.fixes import FIX_COLUMNS
from service.store.schema import (
    alert,
    device,
    event,
    inside,
    outbox,
    position_update,
    reject,
    tombstone,
)


class KnownDevice(NamedTuple):
    """What the tracker keeps in memory of a device; times in milliseconds."""

    key: int
    device_id: str
    watermark: int | None
    latest: int


def known_devices(connection: Connection, tracker_key: int) -> Sequence[KnownDevice]:
    statement = select(device.c.key, device.c.device_id, device.c.watermark, device.c.sample_time)
    return [
        KnownDevice(*row) for row in connection.execute(statement.where(device.c.tracker_key == tracker_key))
    ]


def device_keys(connection: Connection, after: int, limit: int) -> Sequence[int]:
    """The devices of all trackers, by key."""
    return connection.scalars(
        select(device.c.key).where(device.c.key > after).order_by(device.c.key).limit(limit)
    ).all()


def inside_pairs(connection: Connection, tracker_key: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Device keys and geofence keys of all that is inside something now."""
    rows = connection.execute(
        select(inside.c.device_key, inside.c.geofence_key)
        .join(device, device.c.key == inside.c.device_key)
        .where(device.c.tracker_key == tracker_key)
    ).all()
    return (
        np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        np.fromiter((row[1] for row in rows), np.int32, len(rows)),
    )


def insert_devices(connection: Connection, rows: Sequence[dict[str, object]]) -> list[int]:
    """Adds devices that were not known; answers their keys, in the same order."""
    statement = insert(device).returning(device.c.key, sort_by_parameter_order=True)
    return list(connection.scalars(statement, list(rows)))


def update_latest(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Sets the latest position of devices; each row names its device by `of_device`."""
    statement = update(device).where(device.c.key == bindparam("of_device"))
    connection.execute(statement.values({name: bindparam(name) for name in FIX_COLUMNS}), list(rows))


def update_watermarks(
    connection: Connection, device_key: NDArray[np.int64], watermark: NDArray[np.int64]
) -> None:
    statement = (
        update(device).where(device.c.key == bindparam("of_device")).values(watermark=bindparam("time"))
    )
    rows = [
        {"of_device": key, "time": time}
        for key, time in zip(device_key.tolist(), watermark.tolist(), strict=True)
    ]
    connection.execute(statement, rows)


def change_inside(
    connection: Connection,
    entered: Sequence[tuple[int, int]],
    left: Sequence[tuple[int, int]],
) -> None:
    """Pairs of (device key, geofence key) that hold from now on, and those that no longer do."""
    if left:
        statement = delete(inside).where(
            inside.c.device_key == bindparam("of_device"), inside.c.geofence_key == bindparam("of_geofence")
        )
        connection.execute(statement, [{"of_device": key, "of_geofence": fence} for key, fence in left])
    if entered:
        statement_in = upsert(inside).on_conflict_do_nothing()
        connection.execute(
            statement_in, [{"device_key": key, "geofence_key": fence} for key, fence in entered]
        )


def tombstones(connection: Connection, tracker_key: int) -> dict[str, int]:
    """Forgotten devices: id -> the sample_time up to which their fixes are refused."""
    statement = select(tombstone.c.device_id, tombstone.c.forgotten_time)
    rows = connection.execute(statement.where(tombstone.c.tracker_key == tracker_key))
    return {device_id: forgotten for device_id, forgotten in rows}


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
    keys = select(device.c.key).where(of_device)
    connection.execute(delete(position_update).where(position_update.c.device_key.in_(keys)))
    erased = connection.execute(delete(device).where(of_device)).rowcount  # the rest of it goes by cascade
    for alert_key in told:
        still_told = select(outbox.c.key).where(outbox.c.alert_key == alert_key).exists()
        connection.execute(delete(alert).where(alert.c.key == alert_key, ~still_told))
    erased += connection.execute(
        delete(reject).where(reject.c.tracker_key == tracker_key, reject.c.device_id == device_id)
    ).rowcount
    if erased:
        statement = upsert(tombstone).values(
            tracker_key=tracker_key, device_id=device_id, forgotten_time=forgotten_time
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["tracker_key", "device_id"],
                set_={"forgotten_time": statement.excluded.forgotten_time},
            )
        )
    return erased
