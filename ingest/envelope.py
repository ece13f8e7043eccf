"""The body of a queue message: one MQTT message a line, or a raw payload.

A line is `{"topic": "...", "payload": <the JSON as it came>}`, or has `payloadBase64` where the payload is
not JSON, has a line break, or has a character that SQS refuses (it takes `#x9 | #xA | #xD | #x20-#xD7FF |
#xE000-#xFFFD | #x10000-#x10FFFF`). A payload too large for a queue message travels cut: its first 4 KiB, and
beside it `cutFrom`, the number of bytes that it had. Payloads are not judged here.
"""

import json
import re
from binascii import b2a_base64
from typing import Final

import msgspec

from ingest.aws.limits import BODY_BYTES
from ingest.messages import Message

CUT_BYTES: Final = 4096
"""What is kept of a payload that is too large."""
BLANK: Final = b" \t\r"


def packed(topic: str, payload: bytes) -> bytes:
    """The line of a message, without a line break: valid UTF-8 of at most BODY_BYTES.

    `unpacked` gives the same topic and the same bytes again.
    """
    name = _ENCODER.encode(topic)
    if not name.isascii():
        name = json.dumps(topic).encode()
    if len(payload) >= BODY_BYTES:
        return _cut(name, payload)
    line = b'{"topic":%b,"payload":%b}' % (name, payload)
    if not _reads_back(line, payload):
        line = b'{"topic":%b,"payloadBase64":"%b"}' % (name, b2a_base64(payload, newline=False))
    return line if len(line) <= BODY_BYTES else _cut(name, payload)


def unpacked(body: str | bytes, *, redelivered: bool = False, receipt: int | None = None) -> list[Message]:
    """The messages in a body, in its order, each with what is known of the whole; never raises.

    A body whose first line is none of an envelope is one payload without a topic. A later line that is
    none becomes a message of its own, without a topic. Blank lines hold nothing.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        lines = _DECODER.decode_lines(raw)
    except (ValueError, RecursionError):
        return _line_by_line(raw, redelivered, receipt)
    messages = [message for line in lines if (message := _message(line, redelivered, receipt)) is not None]
    if len(messages) == raw.count(b"\n") + 1:
        return messages
    return _line_by_line(raw, redelivered, receipt)


class _Line(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    topic: str
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    payload_base64: bytes | msgspec.UnsetType = msgspec.UNSET
    cut_from: int | msgspec.UnsetType = msgspec.UNSET


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Line)
_REFUSED: Final = re.compile("[\ufffe\uffff]")
"""What JSON lets pass unescaped and SQS does not."""


def _reads_back(line: bytes, payload: bytes) -> bool:
    """Whether a line of this payload is one line that `unpacked` takes for just this payload."""
    if b"\n" in payload or b"\r" in payload:
        return False
    try:
        if not payload.isascii() and _REFUSED.search(payload.decode()):
            return False
        inside = _DECODER.decode(line).payload
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or JSON nested too deep
        return False
    return isinstance(inside, msgspec.Raw) and bytes(inside) == payload


def _cut(name: bytes, payload: bytes) -> bytes:
    beginning = b2a_base64(payload[:CUT_BYTES], newline=False)
    return b'{"topic":%b,"payloadBase64":"%b","cutFrom":%d}' % (name, beginning, len(payload))


def _message(line: _Line, redelivered: bool, receipt: int | None) -> Message | None:
    """None where the members are not those of an envelope's line."""
    payload, encoded, cut_from = line.payload, line.payload_base64, line.cut_from
    if isinstance(payload, msgspec.Raw):
        lone = encoded is msgspec.UNSET and cut_from is msgspec.UNSET
        return Message(bytes(payload), line.topic, redelivered, receipt) if lone else None
    if not isinstance(encoded, bytes):
        return None
    if isinstance(cut_from, int):
        cut = cut_from > len(encoded)
        return Message(encoded, line.topic, redelivered, receipt, cut_from) if cut else None
    return Message(encoded, line.topic, redelivered, receipt)


def _line_by_line(raw: bytes, redelivered: bool, receipt: int | None) -> list[Message]:
    first, *others = raw.split(b"\n")
    message = _message_of(first, redelivered, receipt)
    if message is None:
        return [Message(raw, None, redelivered, receipt)]
    found = [message]
    for line in others:
        if line.strip(BLANK):
            message = _message_of(line, redelivered, receipt)
            found.append(message or Message(line, None, redelivered, receipt))
    return found


def _message_of(line: bytes, redelivered: bool, receipt: int | None) -> Message | None:
    try:
        return _message(_DECODER.decode(line), redelivered, receipt)
    except (ValueError, RecursionError):
        return None
