"""Positions of a file against geofences, without servers: all events, also as lines."""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from geofence.events import EVENT_TYPES, event_ids
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from ingest.decoding.ndjson import OfflinePositions
from service.carried_state import CarriedState
from service.collection_indexes import CollectionIndexes
from service.crossing_rule import DEFAULT_RULE, CrossingRule
from service.found_events import EVENT, found_events
from service.native_lines import LINES, native_lines

BATCH = 20_000
"""Positions evaluated at once: enough that calls cost little, and few enough for the processor's cache."""

TRACKER = COLLECTION = "default"


def evaluated(
    positions: OfflinePositions,
    geofences: Sequence[Geofence],
    progress: Callable[[int], None] = lambda _: None,
    *,
    rule: CrossingRule = DEFAULT_RULE,
    unknown_altitude_inside: bool = False,
    carried: CarriedState | None = None,
) -> NDArray[np.void]:
    """The events of positions in any order; of equal device and sample_time the first counts.

    They come as rows of EVENT by time, device id, share, kind, geofence id; the device is a number in
    `positions.device_ids`, the geofence one in `geofences`. `progress` is told how many positions are
    evaluated so far. `rule` says how the geofences are crossed, `unknown_altitude_inside` whether a position
    without altitude is within every band of altitude. `carried` is what went before, of geofences with keys
    from 1 on in their order, and afterwards what has been found; where it is None, nothing went before.
    """
    indexes = CollectionIndexes[str](unknown_altitude_inside=unknown_altitude_inside)
    indexes.put(COLLECTION, dict(enumerate(geofences, 1)))
    indexes.cross(COLLECTION, rule)
    carried = CarriedState() if carried is None else carried
    slots, state = carried.slots(positions.device_ids), carried.state
    device = slots[positions.device]
    order = _by_time(positions.sample_time)
    found = [np.empty(0, EVENT)]
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        fixes = _fix_columns(positions, device, carried.device_ids, batch)
        evaluation = indexes.evaluate([COLLECTION], fixes, state)
        state.apply(evaluation)
        found.append(found_events(evaluation))
        progress(start + len(batch))
    events = np.concatenate(found)
    events["geofence"] -= 1
    number = np.zeros(len(carried.device_ids), np.int32)
    number[slots] = np.arange(len(slots))
    events["device"] = number[events["device"]]
    return events[_order(events, positions, geofences)]


def _fix_columns(
    positions: OfflinePositions,
    device: NDArray[np.int32],
    device_ids: Sequence[str],
    batch: NDArray[np.int64],
) -> FixColumns:
    """Of a batch of positions, whose devices have these slots."""
    return FixColumns(
        device[batch],
        device_ids,
        positions.sample_time[batch],
        positions.longitude[batch],
        positions.latitude[batch],
        positions.accuracy[batch],
        lambda at: positions.altitude[batch[at]],
        lambda at: positions.properties[batch[at]],
    )


def event_lines(
    events: NDArray[np.void], positions: OfflinePositions, geofences: Sequence[Geofence]
) -> Iterator[bytes]:
    """The native event of each row, a line each, many lines at once."""
    for start in range(0, len(events), LINES):
        rows = events[start : start + LINES]
        device_ids = [positions.device_ids[device] for device in rows["device"].tolist()]
        geofence_ids = [geofences[number].id for number in rows["geofence"].tolist()]
        types = [EVENT_TYPES[kind] for kind in rows["kind"].tolist()]
        times, ordinals = rows["time"].tolist(), rows["ordinal"].tolist()
        yield native_lines(
            event_ids(TRACKER, COLLECTION, device_ids, geofence_ids, types, times, ordinals),
            types,
            repeat(TRACKER),
            repeat(COLLECTION),
            device_ids,
            geofence_ids,
            rows,
        )


def _by_time(sample_time: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stable order by sample_time."""
    if np.all(sample_time[1:] >= sample_time[:-1]):
        return np.arange(len(sample_time))
    return np.argsort(sample_time, kind="stable")


def _order(
    events: NDArray[np.void], positions: OfflinePositions, geofences: Sequence[Geofence]
) -> NDArray[np.int64]:
    device = ranks(positions.device_ids)[events["device"]]
    geofence = ranks([geofence.id for geofence in geofences])[events["geofence"]]
    return np.lexsort((geofence, events["kind"], events["share"], device, events["time"]))


def ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    """Of each text, how many come before it in the order of code points."""
    ranks = np.empty(len(texts), np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks
