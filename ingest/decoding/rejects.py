"""What is put aside, and why: the reasons are short stable words that people filter and count by."""

from dataclasses import dataclass

from ingest.decoding.faults import Fault
from ingest.decoding.parts import PAYLOAD_KEPT, Parts
from ingest.identifiers import is_identifier
from ingest.messages import Message
from ingest.topics import device_of_topic

LISTED = 1000
"""Rejects of one message that are listed one by one; the others are gathered by reason."""

REASONS = {
    "empty": "The payload has no bytes.",
    "too_large": "The payload is above 1 MiB, or the properties of one position are above 8 KiB.",
    "too_deep": "Arrays and objects are nested more than 64 levels deep.",
    "bad_json": "It is not JSON (RFC 8259), so it cannot be taken apart.",
    "bad_encoding": "It is not UTF-8.",
    "bad_text": "A text holds NUL or a lone surrogate, which no store can keep.",
    "bad_number": "A number is none, or beyond what a double can hold.",
    "encrypted": "A telephone has encrypted it, with a key that is not known here.",
    "not_object": "It is JSON, but no object.",
    "missing": "A required member is not there, or is null.",
    "bad_device_id": "The device id is no text of 1 to 100 letters, digits, '-', '.' and '_'.",
    "device_mismatch": "The device id is another than the topic's.",
    "bad_timestamp": "The timestamp is neither ISO 8601 with zone nor epoch seconds or milliseconds.",
    "in_future": "The timestamp is too far ahead of the receipt.",
    "too_old": "The timestamp is older than what is kept.",
    "bad_latitude": "The latitude is no number from -90 to 90.",
    "bad_longitude": "The longitude is no number from -180 to 180.",
    "bad_accuracy": 'The accuracy is neither metres of at least 0 nor {"Horizontal": metres}.',
    "conflict": "Another position of this device at this time is stored already.",
    "forgotten": "The device was forgotten after this was measured.",
    "unstorable": "The database refused it for its data.",
}
"""Every reason with what it means. The last three are found by the tracker, the others by `decode`."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A message, or one item or line of it, that was not taken.

    `detail` says what was wrong, where, and what would be right. `device_id` is the payload's where it
    has a valid one that is not at odds with the topic, else the topic's. `payload` is the first PAYLOAD_KEPT
    bytes of the message, of the item or line alone where it is one. `message` is its index in the batch;
    `item` the 0-based index in an array, or of a line. `count` is above 1 where many of one payload are
    gathered (docs/decisions/0003).
    """

    reason: str
    detail: str
    topic: str | None
    device_id: str | None
    payload: bytes
    message: int
    item: int | None
    redelivered: bool
    count: int = 1


class MessageRejects:
    """What is refused of one message.

    `kind` is what its parts are called in sentences: 'item', 'line', or '' where it has none.
    """

    __slots__ = ("_gathered", "_listed", "_message", "_parts", "index", "kind", "topic_device")

    def __init__(self, index: int, message: Message) -> None:
        self.index = index
        self.kind = ""
        self.topic_device = device_of_topic(message.topic)
        self._message = message
        self._parts = Parts(message.payload)
        self._listed: list[Reject] = []
        self._gathered: dict[str, int] = {}

    def add(self, fault: Fault, number: int | None, part: bytes | None = None) -> None:
        """Part `number` (0-based, ascending) is refused, or with None the whole message.

        `part` is its bytes where the caller has them; else the payload is taken apart for them.
        """
        if len(self._listed) >= LISTED:
            self._gathered[fault.reason] = self._gathered.get(fault.reason, 0) + 1
            return
        where, item = "", None
        if self.kind and number is not None:
            where, item = f" at {self.kind} {number + (self.kind == 'line')}", number
        if part is None:
            part = self._parts.whole() if item is None else self._parts.head(item)
        kept = part[:PAYLOAD_KEPT]
        self._listed.append(self._reject(fault.reason, fault.detail(where), fault.device_id, item, 1, kept))

    def all(self) -> list[Reject]:
        """The listed ones, then one for each reason of the others."""
        for reason, count in self._gathered.items():
            detail = f"{count:,} more {self.kind}s of this payload: {REASONS[reason]}"
            whole = self._parts.whole()
            self._listed.append(self._reject(reason, detail, None, None, count, whole))
        return self._listed

    def _reject(
        self, reason: str, detail: str, device_id: object, item: int | None, count: int, payload: bytes
    ) -> Reject:
        if not is_identifier(device_id):
            device_id = self.topic_device if is_identifier(self.topic_device) else None
        return Reject(
            reason=reason,
            detail=detail,
            topic=self._message.topic,
            device_id=device_id,
            payload=payload,
            message=self.index,
            item=item,
            redelivered=self._message.redelivered,
            count=count,
        )
