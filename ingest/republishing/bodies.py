"""The body of a queue message taken apart into what is published in its stead.

A position is one JSON object of one device and travels in arrays. What cannot stand in an array without
harm to its neighbours is published as it came, to its own topic, where the tracker refuses it with its reason
and people can see it; other JSON, where no topic says whose it is, stands in the arrays of shard 0. What
cannot be published at all is for the dead-letter queue.

Bodies of our bridge and of AWS IoT rules are taken apart in bulk; any other body, and one of them with a
payload that is not a plain object, line by line. Both ways give the same pieces.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ingest import identifiers
from ingest.decoding import payloads
from ingest.decoding.faults import Fault
from ingest.envelope import packed, unpacked
from ingest.messages import Message
from ingest.topics import ARRAY_TOPICS, device_of_topic, shard_of, shard_of_topic

ARRAY_BYTES: Final = 128 << 10
"""Most bytes of an array, and of a payload at AWS IoT."""
TOPIC_BYTES: Final = 65_535
"""Longest topic that MQTT can write."""
TOPIC_LEVELS: Final = 200
"""Most levels of a topic that Mosquitto takes for certain."""


@dataclass(frozen=True, slots=True)
class Items:
    """Positions of one shard, in their order: JSON objects as bytes."""

    shard: int
    items: list[bytes | Raw]


@dataclass(frozen=True, slots=True)
class AsItCame:
    """A payload that is published as it is; it keeps its place among the positions of `shard`."""

    shard: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """What no destination takes: `body` is a queue message that holds just that, `reason` a stable word."""

    reason: str
    detail: str
    body: str


Piece: TypeAlias = Items | AsItCame | Undeliverable


def pieces(body: str) -> list[Piece]:
    """What is published instead of this body, in its order. Never raises."""
    raw = body.encode("utf-8", "surrogatepass")
    found = bulk_pieces(raw)
    return list(exact_pieces(raw)) if found is None else found


def bulk_pieces(raw: bytes) -> list[Piece] | None:
    """The pieces of an envelope of plain positions, None for any other body."""
    try:
        topics, given, objects = _encoded_lines(raw) if b'"payloadBase64"' in raw else _plain_lines(raw)
    except (ValueError, RecursionError):
        return None
    if len(topics) != raw.count(b"\n") + 1 or len(objects) != len(topics):
        return None
    bound = [_DEVICES[topic] for topic in topics]
    sent = [each.deviceId for each in objects]
    if sent != bound:
        for index, (device, own) in enumerate(zip(sent, bound, strict=True)):
            if device is UNSET and own is not None:
                given[index] = _with_device(bytes(given[index]), own)
            elif device != own:
                return None
    if None in bound or max(map(len, given)) > ARRAY_BYTES - 2:
        return None
    return list(_by_shard([_SHARDS[device] for device in bound], given))


def exact_pieces(raw: bytes) -> Iterator[Piece]:
    """The pieces of any body."""
    messages = unpacked(raw)
    if len(messages) == 1 and messages[0].topic is None:
        yield from _raw_payload(raw)
        return
    for message in messages:
        if message.topic is None:
            yield from _apart(message.payload, None)
        else:
            yield from _of_topic(message, message.topic)


class _PlainLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    topic: str
    payload: Raw


class _EncodedLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    topic: str
    payloadBase64: bytes  # noqa: N815 - the member's name


class _Object(msgspec.Struct, gc=False):
    deviceId: str | UnsetType = UNSET  # noqa: N815 - the member's name


class _AnyObject(msgspec.Struct, gc=False):
    deviceId: Any = UNSET  # noqa: N815 - the member's name; any JSON


_PLAIN_LINES: Final = msgspec.json.Decoder(_PlainLine)
_ENCODED_LINES: Final = msgspec.json.Decoder(_EncodedLine)
_OBJECT: Final = msgspec.json.Decoder(_Object)
_OBJECTS: Final = msgspec.json.Decoder(list[_Object])
_ANY_OBJECT: Final = msgspec.json.Decoder(_AnyObject)
_ANY_JSON: Final = msgspec.json.Decoder(Raw)
_ONE_LINE: Final = re.compile(rb"\{[^\r\n]*\}")
_REMEMBERED: Final = 100_000


class _Devices(dict[str, str | None]):
    """The device that a topic binds, None where it binds none or what cannot be a device's id."""

    def __missing__(self, topic: str) -> str | None:
        device = device_of_topic(topic)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[topic] = known = device if identifiers.is_identifier(device) else None
        return known


class _Shards(dict[str | None, int]):
    def __missing__(self, device: str | None) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[device] = shard = shard_of(device or "")
        return shard


_DEVICES: Final = _Devices()
_SHARDS: Final = _Shards()


_Lines: TypeAlias = tuple[list[str], list[bytes | Raw], list[_Object]]
"""Topics, payloads, and what is read of these."""


def _plain_lines(raw: bytes) -> _Lines:
    """Of lines with `payload`, as our bridge writes them. Raises ValueError, RecursionError."""
    lines = _PLAIN_LINES.decode_lines(raw)
    given: list[bytes | Raw] = [line.payload for line in lines]
    return [line.topic for line in lines], given, _OBJECTS.decode(b"[%b]" % b",".join(given))


def _encoded_lines(raw: bytes) -> _Lines:
    """Of lines with `payloadBase64`, as AWS IoT rules write them. Raises ValueError, RecursionError.

    Nothing has read their payloads yet, so each is read by itself: joined they could make each other good.
    """
    lines = _ENCODED_LINES.decode_lines(raw)
    given: list[bytes | Raw] = [line.payloadBase64 for line in lines]
    if not all(map(_ONE_LINE.fullmatch, given)):
        raise ValueError("not plain objects")
    return [line.topic for line in lines], given, [_OBJECT.decode(each) for each in given]


def _by_shard(shards: list[int], items: list[bytes | Raw]) -> Iterator[Items]:
    if shards.count(shards[0]) == len(shards):
        yield Items(shards[0], items)
        return
    sorted_items: dict[int, list[bytes | Raw]] = {}
    for shard, item in zip(shards, items, strict=True):
        sorted_items.setdefault(shard, []).append(item)
    for shard, some in sorted_items.items():
        yield Items(shard, some)


def _raw_payload(raw: bytes) -> Iterator[Piece]:
    """The pieces of a body that is no envelope, as an AWS IoT rule with `SELECT *` writes it."""
    try:
        given = _items(raw)
    except Fault as fault:
        yield _malformed(raw, fault.detail(""))
        return
    if given and not any(map(_is_json, given)):
        yield _malformed(raw, "neither an envelope nor JSON: expected one of them")
    else:
        yield from _apart(raw, None)


def _malformed(raw: bytes, detail: str) -> Undeliverable:
    return Undeliverable("malformed", detail, raw.decode("utf-8", "replace"))


def _of_topic(message: Message, topic: str) -> Iterator[Piece]:
    fault = _fault_of_topic(topic)
    if fault is not None:
        yield Undeliverable("bad_topic", fault, packed(topic, message.payload).decode())
    elif message.cut_from is not None:
        detail = payloads.too_large_to_travel(message.cut_from).detail("")
        yield Undeliverable("too_large", detail, packed(topic, message.payload).decode())
    else:
        yield from _apart(message.payload, topic)


def _fault_of_topic(topic: str) -> str | None:
    """Why nothing can be published to it (MQTT 5, 4.7), or a broker may hang up on who tries (1.5.4)."""
    if not topic:
        return "an empty topic: expected a name such as aircraft/<deviceId>/position"
    for what, sign in _NO_SIGNS_OF_A_NAME.items():
        if found := sign.search(topic):
            return f"a topic with {what} (U+{ord(found[0]):04X}) in it: expected a name of a topic"
    if len(topic.encode()) > TOPIC_BYTES:
        return f"a topic of {len(topic.encode()):,} bytes: expected up to {TOPIC_BYTES:,}"
    if topic.count("/") >= TOPIC_LEVELS:
        return f"a topic of {topic.count('/') + 1:,} levels: expected up to {TOPIC_LEVELS}"
    return (
        "a topic that begins with $: expected one that is not the broker's own" if topic[0] == "$" else None
    )


_LAST_TWO_OF_PLANES: Final = "".join(
    f"{chr(high | 0xFFFE)}{chr(high | 0xFFFF)}" for high in range(0, 17 << 16, 1 << 16)
)
_NO_SIGNS_OF_A_NAME: Final = {
    "a wildcard": re.compile("[+#]"),
    "a control character": re.compile("[\0-\x1f\x7f-\x9f]"),
    "a lone surrogate": re.compile("[\ud800-\udfff]"),
    "what Unicode keeps for no character": re.compile(f"[\ufdd0-\ufdef{_LAST_TWO_OF_PLANES}]"),
}


def _apart(payload: bytes, topic: str | None) -> Iterator[Piece]:
    """The items of a payload, sorted by shard.

    Where the topic binds a device and one of them cannot be its position, the payload as it came, in its
    place. Where it binds none, the others are positions of other devices and keep their order among these:
    what is JSON and no position goes with those of shard 0, only what is no JSON as it came.
    """
    whole = AsItCame(0 if topic is None else shard_of_topic(topic), topic or ARRAY_TOPICS[0], payload)
    bound = device_of_topic(topic)
    if not payload:
        yield whole
        return
    try:
        given = _items(payload)
        judged = [_judged(item, bound) for item in given]
    except Fault:
        yield whole
        return
    if given and judged.count(None) >= (len(judged) if bound is None else 1):
        yield whole
        return
    sorted_items: dict[int, list[bytes | Raw]] = {}
    for verdict in judged:
        if verdict is None:
            continue
        shard, item = verdict
        if len(item) > ARRAY_BYTES - 2:
            yield from _taken_out(sorted_items)
            yield AsItCame(shard, topic or ARRAY_TOPICS[shard], item)
        else:
            sorted_items.setdefault(shard, []).append(item)
    yield from _taken_out(sorted_items)
    no_json = [item for item, verdict in zip(given, judged, strict=True) if verdict is None]
    for lines in _joined(no_json):
        yield AsItCame(whole.shard, whole.topic, lines)


def _items(payload: bytes) -> list[bytes]:
    """Raises Fault where it cannot be taken apart."""
    return [item.strip(payloads.BLANK) for _, item in payloads.items(payload)[1]]


def _taken_out(sorted_items: dict[int, list[bytes | Raw]]) -> Iterator[Items]:
    for shard, some in sorted_items.items():
        yield Items(shard, some)
    sorted_items.clear()


def _joined(no_json: list[bytes]) -> Iterator[bytes]:
    """As lines of payloads of at most ARRAY_BYTES; one by one where joined they would be something else."""
    lines: list[bytes] = []
    size = 0
    for item in [*no_json, None]:
        if lines and (item is None or size + len(item) > ARRAY_BYTES):
            joined = b"\n".join(lines)
            yield from [joined] if _holds(joined, lines) else lines
            lines, size = [], 0
        if item is not None:
            lines.append(item)
            size += len(item) + 1


def _holds(payload: bytes, items: list[bytes]) -> bool:
    try:
        return _items(payload) == items
    except Fault:
        return False


def _judged(item: bytes, bound: str | None) -> tuple[int, bytes] | None:
    """The shard of an item and the item with its device id; None where it cannot stand in an array."""
    if not item.startswith(b"{"):  # an error for each of a million would take its time
        return (0, item) if bound is None and _is_json(item) else None
    try:
        sent = _ANY_OBJECT.decode(item).deviceId
    except (ValueError, RecursionError):
        return (0, item) if bound is None and _is_json(item) else None
    if bound is None:
        return (shard_of(sent) if isinstance(sent, str) else 0), item
    if sent is UNSET:
        return shard_of(bound), _with_device(item, bound)
    return (shard_of(bound), item) if sent == bound else None


def _with_device(item: bytes, device: str) -> bytes:
    """The object with the device id as its first member."""
    rest = item[1:].lstrip(payloads.BLANK)
    return b'{"deviceId":%b%b%b' % (_ENCODER.encode(device), b"" if rest[:1] == b"}" else b",", rest)


_ENCODER: Final = msgspec.json.Encoder()


def _is_json(item: bytes) -> bool:
    try:
        _ANY_JSON.decode(item)
    except (ValueError, RecursionError):
        return False
    return True
