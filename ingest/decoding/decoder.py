"""From bytes to columns: what devices send, judged item by item. Never raises for any payload.

Payloads of which all is usual are read together in C, where that was built (`usual_payloads`). Of the others,
those that msgspec decodes whole are judged right away, and the rest is taken apart (`payloads`), so that each
item stands or falls alone. All ways come to the same verdict on an item.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from geofence.fixes.positions import PositionBatch
from ingest import timestamps
from ingest.decoding import payloads
from ingest.decoding.device_positions import Bounds, Row, device_position
from ingest.decoding.faults import Fault
from ingest.decoding.rejects import MessageRejects, Reject
from ingest.decoding.usual_lines import COMPILED, Library
from ingest.decoding.usual_payloads import Usual, usual_payloads
from ingest.messages import Message


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How much is taken.

    `max_ahead` is in ms after receipt, `oldest` in ms since the epoch; None sets no limit. `depth` counts
    the object of a position itself as one level, not an array around it.
    """

    max_ahead: int | None = 600_000
    oldest: int | None = None
    payload_bytes: int = 1 << 20
    property_bytes: int = 8192
    depth: int = 64

    def bounds(self, received_time: int) -> Bounds:
        """What a position received at `received_time` is measured against."""
        latest = timestamps.LATEST if self.max_ahead is None else received_time + self.max_ahead
        earliest = timestamps.EARLIEST if self.oldest is None else self.oldest
        return Bounds(earliest, latest, self.property_bytes, self.depth)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The good positions of a batch of messages, where each came from, and what was refused.

    `message` (int32, n) is the index of the message that a position came from, `item` (int32, n) its
    0-based index in an array, or line, of that message.
    """

    batch: PositionBatch
    message: NDArray[np.int32]
    item: NDArray[np.int32]
    rejects: list[Reject]


Decode: TypeAlias = Callable[[Sequence[Message], int, DecodeLimits], Decoded]
"""What reads messages received at a time (ms since the epoch), and never raises for any payload."""


def decode(
    messages: Sequence[Message],
    received_time: int,
    limits: DecodeLimits,
    library: Library | None = COMPILED,
) -> Decoded:
    """The positions in these messages, received at `received_time` (ms since the epoch).

    library: reads usual payloads; where it is None all go the other ways.
    """
    bounds = limits.bounds(received_time)
    usual = library and usual_payloads(library, messages, bounds, limits.payload_bytes)
    if usual and usual.taken.all():
        return Decoded(usual.batch, usual.message, usual.item, [])
    intake = _Intake(limits, bounds)
    for index, message in enumerate(messages):
        if not usual or not usual.taken[index]:
            intake.take(index, message)
    judged = Decoded(
        batch=batch_of(intake.rows),
        message=np.array(intake.message, np.int32),
        item=np.array(intake.item, np.int32),
        rejects=intake.rejects,
    )
    return _together(usual, judged) if usual else judged


def _together(usual: Usual, judged: Decoded) -> Decoded:
    """All positions in the order of their messages."""
    message = np.concatenate((usual.message, judged.message))
    order = np.argsort(message, kind="stable")
    return Decoded(
        batch=PositionBatch.joined([usual.batch, judged.batch]).take(order),
        message=message[order],
        item=np.concatenate((usual.item, judged.item))[order],
        rejects=judged.rejects,
    )


_DECODER = msgspec.json.Decoder()


class _Intake:
    """What has been taken from a batch so far, and what has been refused."""

    def __init__(self, limits: DecodeLimits, bounds: Bounds) -> None:
        self.rows: list[Row] = []
        self.message: list[int] = []
        self.item: list[int] = []
        self.rejects: list[Reject] = []
        self._limits = limits
        self._bounds = bounds

    def take(self, index: int, message: Message) -> None:
        """The message with this index in its batch."""
        payload = message.payload
        whole = message.cut_from is None and len(payload) <= self._limits.payload_bytes
        if whole and b"\\u0000" not in payload:
            try:
                document = _DECODER.decode(payload)
            except (ValueError, RecursionError):
                pass  # taken apart below, which finds out why
            else:
                self._take_document(document, index, message)
                return
        self._take_apart(index, message)

    def _take_document(self, document: object, index: int, message: Message) -> None:
        rejects = MessageRejects(index, message)
        if type(document) is list:
            rejects.kind = "item"
            for number, item in enumerate(document):
                self._take_item(item, number, rejects)
        else:
            self._take_item(document, 0, rejects)
        self.rejects += rejects.all()

    def _take_apart(self, index: int, message: Message) -> None:
        rejects = MessageRejects(index, message)
        try:
            if message.cut_from is not None:
                raise payloads.too_large_to_travel(message.cut_from)
            payloads.refuse_size(message.payload, self._limits.payload_bytes)
            rejects.kind, items = payloads.items(message.payload)
        except Fault as fault:
            rejects.add(fault, None)
        else:
            for number, raw in items:
                try:
                    document = payloads.document(raw)
                except Fault as fault:
                    rejects.add(fault, number, raw)
                else:
                    self._take_item(document, number, rejects, raw)
        self.rejects += rejects.all()

    def _take_item(
        self, document: object, number: int, rejects: MessageRejects, raw: bytes | None = None
    ) -> None:
        try:
            self.rows.append(device_position(document, rejects.topic_device, self._bounds))
        except Fault as fault:
            rejects.add(fault, number, raw)
        else:
            self.message.append(rejects.index)
            self.item.append(number)


def batch_of(rows: list[Row]) -> PositionBatch:
    """Rows as columns."""
    if not rows:
        return PositionBatch.empty()
    device_id, sample_time, longitude, latitude, altitude, accuracy, properties = zip(*rows, strict=True)
    return PositionBatch(
        device_id=np.array(device_id, np.object_),
        sample_time=np.array(sample_time, np.int64),
        longitude=np.array(longitude),
        latitude=np.array(latitude),
        altitude=np.array(altitude),
        accuracy=np.array(accuracy),
        properties=np.array(properties, np.object_),
    )
