"""Devices of which fixes had their turn that are not stored: up to when, and what was evaluated last."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from geofence.fixes.last_fixes import LastFixes
from geofence.state.visit_records import NEVER
from service.store.columns import put_columns, wanted_keys
from service.store.schema import passed_over


def turns_ended(connection: Connection, device_key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to which sample_time (ms) fixes of these devices have had their turn, as far as it is kept here."""
    until = np.full(len(device_key), NEVER)
    if len(device_key):
        wanted, values = wanted_keys(connection, passed_over, {"device_key": device_key.tolist()})
        here = passed_over.c.device_key == wanted.c.device_key
        statement = select(wanted.c.place, passed_over.c.until).join_from(wanted, passed_over, here)
        for place, time in connection.execute(statement, values):
            until[place] = time
    return until


def put_passed_over(
    connection: Connection,
    device_key: NDArray[np.int64],
    until: NDArray[np.int64],
    watermark: NDArray[np.int64],
    last: LastFixes,
    *,
    all_stored: bool,
) -> None:
    """Fixes of these devices had their turn up to then (ms), the last one at the watermark was evaluated.

    all_stored: whether all of these that were evaluated are stored.
    """
    fix = {name: _known(getattr(last, name)) for name in ("longitude", "latitude", "altitude", "accuracy")}
    evaluated = [None if each == NEVER else each for each in watermark.tolist()]
    columns: dict[str, Sequence[Any]] = {"until": until.tolist(), "watermark": evaluated, **fix}
    if not all_stored:  # and it stays so
        columns["all_stored"] = [False] * len(device_key)
    put_columns(connection, passed_over, {"device_key": device_key.tolist()}, columns)


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN
