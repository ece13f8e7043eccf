"""One message as a source hands it over, not yet judged."""

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
