"""One message as a source hands it over, not yet judged."""

from collections.abc import Iterable

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """Bytes as they came, with what the source knows about them.

    `topic` is None where a message has none (POST /positions, a file). `receipt` is the number by which its
    source knows it when it is acknowledged. `cut_from` is how many bytes the payload had where only its
    beginning came through a queue; such a message is refused as `too_large`.
    """

    payload: bytes
    topic: str | None = None
    redelivered: bool = False
    receipt: int | None = None
    cut_from: int | None = None


def receipts(messages: Iterable[Message]) -> list[int]:
    """By which their source is told that these are safe. A message without one (QoS 0) comes only once."""
    return [message.receipt for message in messages if message.receipt is not None]


def redelivered(messages: Iterable[Message]) -> list[Message]:
    """The same, of which something may have been kept already."""
    return [msgspec.structs.replace(message, redelivered=True) for message in messages]
