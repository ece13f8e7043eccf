"""What decodes well and the tracker puts aside: positions of forgotten devices, conflicts, the unstorable.

The three are the last of `ingest.decoding.rejects.REASONS`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import DataError, IntegrityError

from ingest.decoding.decoder import Decoded
from ingest.decoding.parts import Parts
from ingest.decoding.rejects import Reject
from ingest.messages import Message
from ingest.timestamps import iso
from service.outcome import Outcome
from service.store.database import changed_meanwhile


def without_forgotten(messages: Sequence[Message], decoded: Decoded, forgotten: Mapping[str, int]) -> Decoded:
    """Puts aside what forgotten devices measured up to then; forgotten: device id -> sample_time (ms)."""
    if not forgotten:
        return decoded
    until = [forgotten.get(each) for each in decoded.batch.device_id.tolist()]
    times = decoded.batch.sample_time.tolist()
    refused = [index for index, end in enumerate(until) if end is not None and times[index] <= end]
    aside = _Aside(messages, decoded)
    rejects = list(decoded.rejects)
    for index in refused:
        detail = f"device {decoded.batch.device_id[index]} was forgotten after {iso(times[index])}"
        rejects.append(aside.reject(index, "forgotten", detail))
    kept = np.ones(len(times), np.bool_)
    kept[refused] = False
    return part(decoded, kept, rejects)


def conflicts(messages: Sequence[Message], decoded: Decoded, conflicting: NDArray[np.bool_]) -> list[Reject]:
    """One reject for each position in the mask."""
    aside, rejects = _Aside(messages, decoded), []
    for index in np.flatnonzero(conflicting).tolist():
        time = iso(int(decoded.batch.sample_time[index]))
        detail = (
            f"device {decoded.batch.device_id[index]} at {time} is stored already with another position, "
            "accuracy or properties: the first one stands"
        )
        rejects.append(aside.reject(index, "conflict", detail))
    return rejects


TRIES = 3


def commit_storable(
    messages: Sequence[Message], decoded: Decoded, commit: Callable[[Decoded], Outcome]
) -> Outcome:
    """Commits all at once, or in parts all but the culprits where the database refuses that for its data.

    Where somebody else added or took away meanwhile what it rests on, the next try knows of it.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return commit(decoded)
        except (IntegrityError, DataError) as error:
            if tries_left and changed_meanwhile(error):
                continue
            if not len(decoded.batch):
                raise
            break
    size = len(decoded.batch)
    if size == 1:
        detail = "the database refused this position for its data"
        reject = _Aside(messages, decoded).reject(0, "unstorable", detail)
        return commit(part(decoded, slice(0, 0), [*decoded.rejects, reject]))
    whole = Outcome()
    for some in (slice(0, size // 2), slice(size // 2, size)):
        half = part(decoded, some, decoded.rejects if some.start == 0 else [])
        whole.add(commit_storable(messages, half, commit))
    return whole


def part(decoded: Decoded, index: NDArray[np.bool_] | slice, rejects: list[Reject]) -> Decoded:
    """Some of the positions, with these rejects."""
    return Decoded(decoded.batch.take(index), decoded.message[index], decoded.item[index], rejects)


class _Aside:
    """Positions with the messages that they came in, each taken apart once."""

    def __init__(self, messages: Sequence[Message], decoded: Decoded) -> None:
        self._messages, self._decoded = messages, decoded
        self._parts: dict[int, Parts] = {}

    def reject(self, index: int, reason: str, detail: str) -> Reject:
        """The position at `index`."""
        number, item = int(self._decoded.message[index]), int(self._decoded.item[index])
        message = self._messages[number]
        if number not in self._parts:
            self._parts[number] = Parts(message.payload)
        return Reject(
            reason=reason,
            detail=detail,
            topic=message.topic,
            device_id=self._decoded.batch.device_id[index],
            payload=self._parts[number].head(item),
            message=number,
            item=item,
            redelivered=message.redelivered,
        )
