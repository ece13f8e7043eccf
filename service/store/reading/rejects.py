"""What could not be taken, in the order in which it was put aside."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.store.schema import reject


class RejectRow(NamedTuple):
    """One reject; `payload` is its first 4 KiB."""

    key: int
    received_time: int
    reason: str
    detail: str
    topic: str | None
    device_id: str | None
    payload: bytes


COLUMNS = tuple(reject.c[name] for name in RejectRow._fields)


def rejects(
    connection: Connection,
    tracker_key: int,
    after: int,
    limit: int,
    *,
    device_id: str | None = None,
    reason: str | None = None,
) -> Sequence[RejectRow]:
    """Rejects whose key is above `after`."""
    statement = select(*COLUMNS).where(reject.c.tracker_key == tracker_key, reject.c.key > after)
    if device_id is not None:
        statement = statement.where(reject.c.device_id == device_id)
    if reason is not None:
        statement = statement.where(reject.c.reason == reason)
    return [RejectRow(*row) for row in connection.execute(statement.order_by(reject.c.key).limit(limit))]
