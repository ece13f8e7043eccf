"""Storing: which fixes of a batch are new, and which are there already, the same or another."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from geofence.fixes.positions import PositionBatch
from ingest.topics import shard_of
from service.evaluating import Evaluated
from service.filtering.filtered import had_their_turn, late_and_stored
from service.fixes import Fixes, fixes_of
from service.outcome import Outcome
from service.store.devices import insert_devices, move_latest_back, update_devices
from service.store.neighbours import devices_standing_at
from service.store.positions import StoredPosition, delete_filtered, rows_already
from service.tracked_devices import UNKNOWN, TrackedDevices


@dataclass(frozen=True, slots=True)
class Fates:
    """Masks of length n; each fix is in exactly one of them."""

    new: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    conflict: NDArray[np.bool_]


def placed_fixes(
    connection: Connection, devices: TrackedDevices, batch: PositionBatch, received_time: int
) -> Fixes:
    """The fixes of a batch by device; one that was not known is inserted, its first fix as the latest.

    Where positions are filtered, that is the one measured first, which is stored whatever comes.
    """
    fixes = fixes_of(batch, devices.slots(batch.device_id), received_time)
    first: dict[str, int] = {}
    unknown = np.flatnonzero(fixes.slot == UNKNOWN)
    if devices.position_filtering is not None:
        unknown = unknown[np.argsort(fixes.sample_time[unknown], kind="stable")]
    for index in unknown.tolist():
        first.setdefault(batch.device_id[index], index)
    if not first:
        return fixes
    at = np.fromiter(first.values(), np.int64)
    rows = [
        {**row, "tracker_key": devices.tracker_key, "device_id": each, "shard": shard_of(each)}
        for each, row in zip(first, fixes.take(at).rows(), strict=True)
    ]
    devices.add(list(first), insert_devices(connection, rows))
    return replace(fixes, slot=devices.slots(batch.device_id))


def sort_out(connection: Connection, devices: TrackedDevices, fixes: Fixes) -> Fates:
    """Of equal (device, sample_time) the first stored wins: the row there is, else the first of the batch.

    Only a fix not newer than its device's latest can be a row already, so most are new without a look.
    """
    first = _first_of_equals(fixes)
    new = first == np.arange(len(fixes))
    duplicate, conflict = np.zeros_like(new), np.zeros_like(new)
    known = np.flatnonzero(new & (fixes.sample_time <= devices.latest[fixes.slot]))
    winner: dict[int, StoredPosition] = {}
    if len(known):
        rows = rows_already(connection, devices.key[fixes.slot[known]], fixes.sample_time[known])
        winner = {int(known[place]): row for place, row in rows.items()}
    suspects = sorted({*winner, *np.flatnonzero(~new).tolist()})
    for index in suspects:
        leader = int(first[index])
        row = winner.get(leader) or _as_stored(fixes, leader)
        same = row == _as_stored(fixes, index)
        new[index] = False
        (duplicate if same else conflict)[index] = True
    return Fates(new, duplicate, conflict)


def without_late_filtered(
    connection: Connection, devices: TrackedDevices, fixes: Fixes, outcome: Outcome
) -> tuple[Fixes, NDArray[np.bool_]]:
    """Fixes that are stored before they have their turn, and a mask of those that come after it.

    What is to wait is filtered when it is evaluated.
    """
    if devices.position_filtering is None:
        return fixes, fixes.sample_time <= devices.state.watermark[fixes.slot]
    late = had_their_turn(connection, devices, fixes)
    stored = ~late | late_and_stored(connection, devices, devices.position_filtering, fixes, late)
    outcome.filtered += int((~stored).sum())
    return fixes.take(stored), late[stored]


def newer_than_latest(devices: TrackedDevices, fixes: Fixes) -> NDArray[np.int64]:
    """Of each device its newest fix, where that is newer than the latest there is, as places in `fixes`."""
    order = np.lexsort((fixes.sample_time, fixes.slot))
    last = order[np.append(fixes.slot[order][1:] != fixes.slot[order][:-1], True)[: len(order)]]
    newer: NDArray[np.int64] = last[fixes.sample_time[last] > devices.latest[fixes.slot[last]]]
    return newer


def take_away(connection: Connection, devices: TrackedDevices, fixes: Fixes) -> None:
    """Fixes that waited are not stored any more; where one was the latest, that is what is left."""
    if not len(fixes):
        return
    keys = devices.key[fixes.slot]
    standing = devices_standing_at(connection, keys, fixes.sample_time)
    delete_filtered(connection, keys, fixes.sample_time)
    moved = move_latest_back(connection, standing)
    slot = dict(zip(keys.tolist(), fixes.slot.tolist(), strict=True))
    for key, time in moved.items():
        devices.latest[slot[key]] = time


def write_devices(
    connection: Connection, devices: TrackedDevices, latest: Fixes, evaluated: Evaluated | None
) -> None:
    """Moves latest positions and watermarks on: rows that get both are written once.

    latest: at most one fix of each device, newer than what there is.
    """
    slot = np.empty(0, np.int32) if evaluated is None else evaluated.slot
    watermark = np.empty(0, np.int64) if evaluated is None else evaluated.watermark
    _, at, both = np.intersect1d(latest.slot, slot, assume_unique=True, return_indices=True)
    update_devices(connection, devices.key[slot[both]], latest.take(at), watermark[both])
    alone = np.setdiff1d(np.arange(len(latest)), at)
    update_devices(connection, devices.key[latest.slot[alone]], latest.take(alone), None)
    rest = np.setdiff1d(np.arange(len(slot)), both)
    update_devices(connection, devices.key[slot[rest]], None, watermark[rest])
    devices.latest[latest.slot] = latest.sample_time


def _first_of_equals(fixes: Fixes) -> NDArray[np.int64]:
    """For each fix the index of the first one with its device and sample_time."""
    order = np.lexsort((fixes.sample_time, fixes.slot))  # stable: equal ones stay in order of arrival
    slot, time = fixes.slot[order], fixes.sample_time[order]
    begins = np.append(True, (slot[1:] != slot[:-1]) | (time[1:] != time[:-1]))[: len(order)]
    leader = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    first = np.empty(len(order), np.int64)
    first[order] = leader
    return first


def _as_stored(fixes: Fixes, index: int) -> StoredPosition:
    accuracy = float(fixes.accuracy[index])
    return StoredPosition(
        float(fixes.longitude[index]),
        float(fixes.latitude[index]),
        None if np.isnan(accuracy) else accuracy,
        fixes.properties[index],
    )
