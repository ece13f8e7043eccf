"""A payload taken apart into its items, each as bytes, so that a bad one does not take its neighbours along.

A payload is one object, an array of objects, or objects by line. `msgspec` decodes good ones whole; this is
the way for all others. It finds where items end with a reader that is more patient than JSON: a number too
large, NaN, a lone surrogate or wrong UTF-8 spoil their own item only.
"""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from ingest.decoding.faults import Fault, Literal, shown

WHOLE = "expected one object, an array of objects, or one object a line"

BLANK = b" \t\r\n"
"""What JSON calls white space: a line of it holds nothing."""

_SPACE = BLANK.decode()
_SPACES = re.compile(rf"[{_SPACE}]*")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_NOT_JSON = frozenset({"NaN", "Infinity", "-Infinity"})
_LONGEST_INTEGER = 400

_DECODER = msgspec.json.Decoder()


def refuse_size(payload: bytes, most: int) -> None:
    """Raises Fault for a payload, or a line of a file, of more than `most` bytes, or of none."""
    if not payload:
        raise Fault("empty", "a payload without bytes", WHOLE)
    if len(payload) > most:
        raise too_large(len(payload), most)


def too_large(length: int, most: int) -> Fault:
    """The fault of a payload, or a line of a file, of `length` bytes where `most` are taken."""
    return Fault("too_large", f"a payload of {length:,} bytes", f"expected up to {most:,} bytes")


def too_large_to_travel(length: int) -> Fault:
    """The fault of a payload of `length` bytes that a queue's message does not hold."""
    return Fault(
        "too_large",
        f"a payload of {length:,} bytes, cut on its way through a queue",
        "expected one that fits, with its topic, into a queue message of 1 MiB",
    )


def document(raw: bytes) -> object:
    """The JSON value in these bytes. Raises Fault, with the device id where it can still be made out."""
    if b"\\u0000" in raw and _NUL.search(raw):
        raise _fault_with_device("bad_text", "a text with NUL (\\u0000)", "expected text without it", raw)
    try:
        return _DECODER.decode(raw)
    except (ValueError, RecursionError) as error:
        raise _fault(raw, str(error)) from None


def items(payload: bytes) -> tuple[str, Iterator[tuple[int, bytes]]]:
    """What the items are called ('item', 'line', or '' for a payload that is one), and each with its index.

    Raises Fault where the payload cannot be taken apart.
    """
    text = payload.decode("utf-8", "surrogateescape")
    start = _after_spaces(text, 0)
    if start == len(text):
        return "", iter(())
    if _is_lines(text[start:]):
        lines = enumerate(payload.split(b"\n"))
        return "line", ((number, line) for number, line in lines if line.strip(BLANK))
    if text.startswith("[", start):
        return "item", enumerate(_bytes(_elements(text, start + 1)))
    return "", enumerate(_bytes([text[start:]]))


def _is_lines(text: str) -> bool:
    """Whether these are several lines, and neither one value over lines nor evidently a broken one."""
    lines = [line.strip(_SPACE) for line in text.split("\n") if line.strip(_SPACE)]
    if len(lines) == 1 or _is_value(text):
        return False
    if lines[0].startswith("["):
        return _is_value(lines[0])
    return lines[0] != "{" or any(_is_value(line) for line in lines[1:] if line.startswith("{"))


def _is_value(text: str) -> bool:
    try:
        end = _end_of_value(text, 0)
    except Fault:
        return False
    return _after_spaces(text, end) == len(text)


def _elements(text: str, position: int) -> list[str]:
    """The elements of the array whose bracket opened just before `position`."""
    elements: list[str] = []
    position = _after_spaces(text, position)
    closed = text.startswith("]", position)
    while not closed:
        end = _end_of_value(text, position)
        elements.append(text[position:end])
        position = _after_spaces(text, end)
        closed = text.startswith("]", position)
        if not closed:
            if not text.startswith(",", position):
                raise Fault(
                    "bad_json", f"array broken at character {position + 1:,}", "expected ',' or ']' there"
                )
            position = _after_spaces(text, position + 1)
    if _after_spaces(text, position + 1) < len(text):
        raise Fault("bad_json", f"more after the array, from character {position + 2:,}", WHOLE)
    return elements


def _end_of_value(text: str, start: int) -> int:
    try:
        return _PATIENT.raw_decode(text, start)[1]
    except RecursionError:
        return _end_of_nest(text, start)
    except ValueError as error:
        raise _broken(error, "array") from None


def _end_of_nest(text: str, start: int) -> int:
    """Where a value ends that is nested too deep to be read: at the bracket that closes its first."""
    level = 0
    for token in _TOKENS.finditer(text, start):
        if token[0] in "[{":
            level += 1
        elif token[0] in "]}":
            level -= 1
            if level == 0:
                return token.end()
    raise Fault("bad_json", "array broken in an element nested very deep", "expected it to be closed")


def _fault(raw: bytes, error: str) -> Fault:
    """What is wrong with an item that msgspec did not decode."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as wrong:
        what = f"no UTF-8 from byte {wrong.start + 1:,} (0x{raw[wrong.start]:02x})"
        return _fault_with_device("bad_encoding", what, "expected JSON in UTF-8", raw)
    if text.startswith("\ufeff"):
        return Fault("bad_json", "a byte order mark", "expected plain UTF-8")
    try:
        value = _PATIENT.decode(text)
    except RecursionError:
        return Fault("too_deep", "nesting that goes very deep", "expected at most 64 levels")
    except ValueError as broken:
        return _broken(broken, "JSON")
    return _fault_of_value(value) or Fault("bad_json", f"JSON that is not understood ({error})", WHOLE)


def _fault_of_value(value: object) -> Fault | None:
    """What no position can have in it, None where a repeated member hides it."""
    if isinstance(value, Literal) and value in _NOT_JSON:
        return Fault("bad_json", value, "expected JSON, which has no such number")
    if not isinstance(value, dict):
        return Fault("not_object", shown(value), "expected an object")
    fault = _fault_of_members(value)
    if fault:
        fault.device_id = value.get("deviceId")
    return fault


def _fault_of_members(members: dict[str, object]) -> Fault | None:
    for name, member in members.items():
        for value in _leaves(name, member):
            if isinstance(value, Literal) and value in _NOT_JSON:
                return Fault(
                    "bad_json", f"{shown(name)[1:-1]} {value}", "expected JSON, which has no such number"
                )
            if isinstance(value, Literal):
                reason = _REASON_OF_MEMBER.get(name, "bad_number")
                what = f"{shown(name)[1:-1]} {shown(value)}"
                return Fault(reason, what, "expected a number that a double can hold")
            if isinstance(value, str) and _SURROGATE.search(value):
                return Fault(
                    "bad_text", f"{shown(name)[1:-1]} with a lone surrogate", "expected text without it"
                )
    return None


_REASON_OF_MEMBER = {
    "timestamp": "bad_timestamp",
    "latitude": "bad_latitude",
    "longitude": "bad_longitude",
    "accuracy": "bad_accuracy",
}


def _leaves(name: str, value: object) -> Iterator[object]:
    """A member's name and all names, texts and numbers in its value."""
    yield name
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.keys()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            yield value


def _fault_with_device(reason: str, what: str, expected: str, raw: bytes) -> Fault:
    """The fault with the device id, if the rest can be read."""
    try:
        value = _PATIENT.decode(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return Fault(reason, what, expected)
    return Fault(reason, what, expected, value.get("deviceId") if isinstance(value, dict) else None)


def _broken(error: ValueError, what: str) -> Fault:
    if isinstance(error, json.JSONDecodeError):
        return Fault("bad_json", f"{what} broken at character {error.pos + 1:,} ({error.msg})", WHOLE)
    return Fault("bad_json", f"{what} that cannot be read", WHOLE)


def _integer(digits: str) -> int | Literal:
    if len(digits) > _LONGEST_INTEGER or float(digits) in (float("inf"), float("-inf")):
        return Literal(digits)
    return int(digits)


def _float(digits: str) -> float | Literal:
    number = float(digits)
    return Literal(digits) if number in (float("inf"), float("-inf")) else number


_PATIENT = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=Literal)


def _after_spaces(text: str, position: int) -> int:
    match = _SPACES.match(text, position)
    return match.end() if match else position


def _bytes(texts: Iterable[str]) -> Iterator[bytes]:
    return (text.encode("utf-8", "surrogateescape") for text in texts)
