"""Positions that are still to be put on the event bus, for trackers that ask for it.

A row names a position and says no more: one that is gone, forgotten or too old to be kept, is not told.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, select

from service.store.columns import insert_columns
from service.store.schema import position_update

WAITING_AT_MOST = 1_000_000
"""About 25 MiB. Beyond it the oldest are dropped, and counted: the positions themselves stay."""
DELETED_AT_ONCE = 500


def insert_position_updates(
    connection: Connection, device_key: NDArray[np.int64], sample_time: NDArray[np.int64]
) -> None:
    """Adds positions of one commit, in the order of their sample_time."""
    order = np.argsort(sample_time, kind="stable")
    columns = {"device_key": device_key[order].tolist(), "sample_time": sample_time[order].tolist()}
    insert_columns(connection, position_update, columns)


def delete_position_updates(connection: Connection, keys: Sequence[int]) -> None:
    """Drops those that were told, or cannot be."""
    for start in range(0, len(keys), DELETED_AT_ONCE):
        some = position_update.c.key.in_(keys[start : start + DELETED_AT_ONCE])
        connection.execute(delete(position_update).where(some))


def delete_beyond(connection: Connection, at_most: int) -> int:
    """Drops the oldest beyond so many; answers how many."""
    newest = connection.scalar(select(func.max(position_update.c.key))) or 0
    return connection.execute(
        delete(position_update).where(position_update.c.key <= newest - at_most)
    ).rowcount
