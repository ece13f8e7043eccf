"""Payloads all of whose positions are usual, read together by the library written in C, where it was built.

A payload is usual if it is lines, or an array of objects, each of which is usual (`usual_lines`) and good. Of
such a payload the library finds what the judgement of each item finds; any other is left, whole.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.positions import PositionBatch
from ingest.decoding.device_positions import Bounds
from ingest.decoding.line_columns import DeviceSlots
from ingest.decoding.odd_lines import SHORT, is_utf8
from ingest.decoding.usual_lines import Library, usual_positions
from ingest.messages import Message
from ingest.topics import device_of_topic


class Usual(NamedTuple):
    """The positions of usual payloads, in their order; `message` and `item` as `Decoded` has them.

    `taken`: mask over the messages of those that are usual.
    """

    batch: PositionBatch
    message: NDArray[np.int32]
    item: NDArray[np.int32]
    taken: NDArray[np.bool_]


def usual_payloads(
    library: Library, messages: Sequence[Message], bounds: Bounds, payload_bytes: int
) -> Usual | None:
    """The usual ones among payloads of up to `payload_bytes`; None where there are none."""
    if bounds.property_bytes < SHORT or bounds.depth < 1:
        return None  # limits that not all usual lines are within
    lines = [_lines(message, payload_bytes) for message in messages]
    counts = np.array([text.count(b"\n") for text in lines], np.int64)
    slots = DeviceSlots(None)
    found = usual_positions(library, b"".join(lines), slots, bounds)
    starts = np.concatenate(([0], np.cumsum(counts)))
    message = np.repeat(np.arange(len(messages)), counts)[found.line]
    taken = (counts > 0) & (np.bincount(message, minlength=len(messages)) == counts)
    ids = np.array([*slots, None], np.object_)[:-1]
    device_id = ids[found.device]
    for index in _bound_elsewhere(
        messages, device_id, np.searchsorted(message, np.arange(len(messages) + 1))
    ):
        taken[index] = False
    if not taken.any():
        return None
    item = found.line - starts[message]
    batch = PositionBatch(
        device_id,
        found.sample_time,
        found.longitude,
        found.latitude,
        found.altitude,
        found.accuracy,
        found.properties,
    )
    if taken.all():
        return Usual(batch, message.astype(np.int32), item.astype(np.int32), taken)
    kept = taken[message]
    return Usual(batch.take(kept), message[kept].astype(np.int32), item[kept].astype(np.int32), taken)


def _lines(message: Message, payload_bytes: int) -> bytes:
    """A payload as lines, of which each is an object if the payload is usual; b'' where it is not.

    Between objects of an array stand commas. One in a text, or in an object, that is taken for such leaves
    halves of an object, which are not usual.
    """
    payload = message.payload
    if message.cut_from is not None or len(payload) > payload_bytes or not is_utf8(payload):
        return b""
    if payload.startswith(b"[") and payload.endswith(b"]"):
        if b"\n" in payload:
            return b""
        return payload[1:-1].replace(b"},{", b"}\n{").replace(b"}, {", b"}\n{") + b"\n"
    return payload if payload.endswith(b"\n") else payload + b"\n"


def _bound_elsewhere(
    messages: Sequence[Message], device_id: NDArray[np.object_], starts: NDArray[np.int64]
) -> Iterator[int]:
    """Messages with a position of another device than their topic's."""
    for index, (message, (start, end)) in enumerate(zip(messages, pairwise(starts.tolist()), strict=True)):
        device = device_of_topic(message.topic)
        if device is not None and any(each != device for each in device_id[start:end]):
            yield index
