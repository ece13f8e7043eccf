"""From bytes to columns: what devices send, judged item by item. Never raises for any payload."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.positions import PositionBatch
from ingest.messages import Message
from ingest.rejects import Reject


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How much is taken. `max_ahead` in ms after receipt and `oldest` in ms since the epoch, None: no limit."""

    max_ahead: int | None = 600_000
    oldest: int | None = None
    payload_bytes: int = 1 << 20
    property_bytes: int = 8192
    depth: int = 64


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


def decode(messages: Sequence[Message], received_time: int, limits: DecodeLimits) -> Decoded:
    """The positions in these messages, received at `received_time` (ms since the epoch)."""
    raise NotImplementedError
