"""Positions of a file against geofences, without servers: all crossings, and their native events as lines."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from geofence.events import EVENT_TYPES, event_ids
from geofence.fence_conditions import FenceConditions, FixColumns
from geofence.geofence import Geofence
from geofence.index import GeofenceIndex
from ingest.decoding.ndjson import OfflinePositions
from service.building_aside import in_a_daemon_thread
from service.carried_state import CarriedState
from service.native_lines import LINES, native_lines

BATCH = 20_000
"""Positions evaluated at once: enough that calls cost little, and few enough for the processor's cache."""

TRACKER = COLLECTION = "default"


@dataclass(frozen=True, slots=True)
class Crossings:
    """m crossings by sample_time, device id, EXIT before ENTER, geofence id.

    `position` numbers the positions that were evaluated, `geofence` the geofences in their order.
    """

    position: NDArray[np.int64]
    geofence: NDArray[np.int64]
    entering: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.position)


def crossings(
    positions: OfflinePositions,
    geofences: Sequence[Geofence],
    progress: Callable[[int], None] = lambda _: None,
    *,
    unknown_altitude_inside: bool = False,
    carried: CarriedState | None = None,
) -> Crossings:
    """What positions in any order entered and left; of equal device and sample_time the first counts.

    `progress` is told how many positions are evaluated so far. `unknown_altitude_inside`: whether a position
    without altitude is within every band of altitude. `carried` is what went before, of geofences with keys
    from 1 on in their order, and afterwards what has been found; where it is None, nothing went before.
    """
    carried = CarriedState() if carried is None else carried
    keyed = dict(enumerate(geofences, 1))
    index = GeofenceIndex(keyed, in_a_daemon_thread)
    conditions = FenceConditions(unknown_altitude_inside=unknown_altitude_inside)
    conditions.put(keyed)
    device, state = carried.slots(positions.device_ids)[positions.device], carried.state
    order = _by_time(positions.sample_time)
    found: list[Crossings] = []
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        containment = index.containing(positions.longitude[batch], positions.latitude[batch])
        fixes = _fix_columns(positions, device, carried.device_ids, batch)
        evaluation = conditions.evaluate(fixes, containment, state)
        state.apply(evaluation)
        found.append(
            Crossings(
                batch[evaluation.position], evaluation.geofence.astype(np.int64) - 1, evaluation.entering
            )
        )
        progress(start + len(batch))
    return _in_order(found, positions, geofences)


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
        positions.accuracy[batch],
        lambda at: positions.altitude[batch[at]],
    )


def event_lines(
    crossed: Crossings, positions: OfflinePositions, geofences: Sequence[Geofence]
) -> Iterator[bytes]:
    """The native event of each crossing, a line each, many lines at once."""
    for start in range(0, len(crossed), LINES):
        at = crossed.position[start : start + LINES]
        device_ids = [positions.device_ids[device] for device in positions.device[at].tolist()]
        geofence_ids = [geofences[number].id for number in crossed.geofence[start : start + LINES].tolist()]
        types = [EVENT_TYPES[entering] for entering in crossed.entering[start : start + LINES].tolist()]
        times = positions.sample_time[at]
        yield native_lines(
            event_ids(TRACKER, COLLECTION, device_ids, geofence_ids, types, times.tolist()),
            types,
            repeat(TRACKER),
            repeat(COLLECTION),
            device_ids,
            geofence_ids,
            times,
            positions.longitude[at],
            positions.latitude[at],
        )


def _by_time(sample_time: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stable order by sample_time."""
    if np.all(sample_time[1:] >= sample_time[:-1]):
        return np.arange(len(sample_time))
    return np.argsort(sample_time, kind="stable")


def _in_order(
    found: Sequence[Crossings], positions: OfflinePositions, geofences: Sequence[Geofence]
) -> Crossings:
    if not found:
        return Crossings(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
    position = np.concatenate([part.position for part in found])
    geofence = np.concatenate([part.geofence for part in found])
    entering = np.concatenate([part.entering for part in found])
    device_rank = ranks(positions.device_ids)[positions.device[position]]
    geofence_rank = ranks([geofence.id for geofence in geofences])[geofence]
    order = np.lexsort((geofence_rank, entering, device_rank, positions.sample_time[position]))
    return Crossings(position[order], geofence[order], entering[order])


def ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    """Of each text, how many come before it in the order of code points."""
    ranks = np.empty(len(texts), np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks
