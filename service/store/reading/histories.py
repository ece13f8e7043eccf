"""The history of all devices of a tracker, as far as each has been evaluated."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, tuple_

from service.store.schema import WAITING, device, position


class EvaluatedRow(NamedTuple):
    """One stored fix that has had its turn: `revision` is what it met, None where it came too late."""

    device_key: int
    device_id: str
    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str
    late: bool
    revision: int | None


COLUMNS = tuple((device if name == "device_id" else position).c[name] for name in EvaluatedRow._fields)


def evaluated_positions(
    connection: Connection, tracker_key: int, after: tuple[int, int], limit: int
) -> Sequence[EvaluatedRow]:
    """Fixes by (device key, sample_time).

    Those that wait are left out, and all of a device that wait are later than all that do not. So pages read
    one after the other while the tracker works still give of each device a beginning of what was evaluated.
    """
    statement = (
        select(*COLUMNS)
        .join(device, device.c.key == position.c.device_key)
        .where(
            device.c.tracker_key + 0 == tracker_key,  # a sum has no index: else SQLite sorts all history
            tuple_(position.c.device_key, position.c.sample_time) > tuple_(*after),
            ~WAITING,
        )
        .order_by(position.c.device_key, position.c.sample_time)
        .limit(limit)
    )
    return [EvaluatedRow(*row) for row in connection.execute(statement)]
