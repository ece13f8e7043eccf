"""What is kept of a refused payload for people to see: the refused item alone, not what came beside it."""

from collections.abc import Iterator

from ingest.decoding import payloads

PAYLOAD_KEPT = 4096
"""Bytes of a refused payload or item that are kept."""


class Parts:
    """The parts of one payload, asked for in their order; it is taken apart when the first is."""

    __slots__ = ("_items", "_payload")

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._items: Iterator[tuple[int, bytes]] | None = None

    def whole(self) -> bytes:
        """The first PAYLOAD_KEPT bytes of the payload."""
        return self._payload[:PAYLOAD_KEPT]

    def head(self, number: int) -> bytes:
        """The first PAYLOAD_KEPT bytes of an item or line (0-based) of a payload that can be taken apart."""
        if self._items is None:
            self._items = payloads.items(self._payload)[1]
        return next(raw for each, raw in self._items if each == number)[:PAYLOAD_KEPT]
