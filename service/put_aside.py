"""What decodes well and the tracker puts aside: positions of forgotten devices, conflicts, the unstorable.

The three are the last of `ingest.decoding.rejects.REASONS`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import DataError, IntegrityError

from ingest.decoding.decoder import Decoded
from ingest.decoding.rejects import PAYLOAD_KEPT, Reject
from ingest.messages import Message
from ingest.timestamps import iso
from service.outcome import Outcome


def without_forgotten(messages: Sequence[Message], decoded: Decoded, forgotten: Mapping[str, int]) -> Decoded:
    """Puts aside what forgotten devices measured up to then; forgotten: device id -> sample_time (ms)."""
    if not forgotten:
        return decoded
    until = [forgotten.get(each) for each in decoded.batch.device_id.tolist()]
    times = decoded.batch.sample_time.tolist()
    refused = [index for index, end in enumerate(until) if end is not None and times[index] <= end]
    rejects = list(decoded.rejects)
    for index in refused:
        detail = f"device {decoded.batch.device_id[index]} was forgotten after {iso(times[index])}"
        rejects.append(_reject(messages, decoded, index, "forgotten", detail))
    kept = np.ones(len(times), np.bool_)
    kept[refused] = False
    return _part(decoded, kept, rejects)


def conflicts(messages: Sequence[Message], decoded: Decoded, conflicting: NDArray[np.bool_]) -> list[Reject]:
    """One reject for each position in the mask."""
    rejects = []
    for index in np.flatnonzero(conflicting).tolist():
        time = iso(int(decoded.batch.sample_time[index]))
        detail = (
            f"device {decoded.batch.device_id[index]} at {time} is stored already with another position, "
            "accuracy or properties: the first one stands"
        )
        rejects.append(_reject(messages, decoded, index, "conflict", detail))
    return rejects


def commit_storable(
    messages: Sequence[Message], decoded: Decoded, commit: Callable[[Decoded], Outcome]
) -> Outcome:
    """Commits all at once, or in parts all but the culprits where the database refuses that for its data."""
    try:
        return commit(decoded)
    except (IntegrityError, DataError):
        if not len(decoded.batch):
            raise
    size = len(decoded.batch)
    if size == 1:
        reject = _reject(
            messages, decoded, 0, "unstorable", "the database refused this position for its data"
        )
        return commit(_part(decoded, slice(0, 0), [*decoded.rejects, reject]))
    whole = Outcome()
    for part in (slice(0, size // 2), slice(size // 2, size)):
        half = _part(decoded, part, decoded.rejects if part.start == 0 else [])
        whole.add(commit_storable(messages, half, commit))
    return whole


def _part(decoded: Decoded, index: NDArray[np.bool_] | slice, rejects: list[Reject]) -> Decoded:
    return Decoded(decoded.batch.take(index), decoded.message[index], decoded.item[index], rejects)


def _reject(messages: Sequence[Message], decoded: Decoded, index: int, reason: str, detail: str) -> Reject:
    """The position at `index`, with the message that it came in."""
    message = int(decoded.message[index])
    return Reject(
        reason=reason,
        detail=detail,
        topic=messages[message].topic,
        device_id=decoded.batch.device_id[index],
        payload=messages[message].payload[:PAYLOAD_KEPT],
        message=message,
        item=int(decoded.item[index]),
        redelivered=messages[message].redelivered,
    )
