"""Deleting the history of devices, which are known still."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete

from geofence.fixes.last_fixes import LastFixes
from geofence.state.visit_records import NEVER
from service.store.columns import put_columns
from service.store.devices import (
    EvaluatedFix,
    KnownDevice,
    as_last_fixes,
    known_devices,
    last_evaluated,
    of_ids,
)
from service.store.passed_over import put_passed_over, turns_ended
from service.store.schema import position, position_update, tombstone


def delete_history(connection: Connection, tracker_key: int, device_ids: Sequence[str]) -> dict[str, int]:
    """Deletes all positions of these devices, those that wait, too.

    Answers up to when (sample_time, ms) nothing of each is kept, and is not to come back: a tombstone says
    so. What is kept is the fix that was evaluated last, with which the next one is compared.
    """
    among = of_ids(connection, device_ids)
    known = known_devices(connection, tracker_key, among)
    if not known:
        return {}
    keys = np.array([each.key for each in known], np.int64)
    watermark = np.array([NEVER if each.watermark is None else each.watermark for each in known], np.int64)
    latest = np.array([each.latest for each in known], np.int64)
    until = np.maximum(np.maximum(watermark, latest), turns_ended(connection, keys))
    last = {fix.device_key: fix for fixes in last_evaluated(connection, tracker_key, among) for fix in fixes}
    for table in (position_update, position):
        connection.execute(delete(table).where(table.c.device_key.in_(keys.tolist())))
    put_passed_over(connection, keys, until, watermark, _fixes(known, last), all_stored=False)
    deleted_until = {each.device_id: time for each, time in zip(known, until.tolist(), strict=True)}
    named: dict[str, Sequence[Any]] = {
        "tracker_key": [tracker_key] * len(known),
        "device_id": [*deleted_until],
    }
    put_columns(connection, tombstone, named, {"forgotten_time": [*deleted_until.values()]})
    return deleted_until


def _fixes(known: Sequence[KnownDevice], last: dict[int, EvaluatedFix]) -> LastFixes:
    fixes = LastFixes.none(len(known))
    at: NDArray[np.int64] = np.flatnonzero([each.key in last for each in known])
    found = [last[known[index].key] for index in at.tolist()]
    fixes.put(at, as_last_fixes(found))
    return fixes
