"""What is wrong with a request, every fault at once, and what the members of its body are."""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from geofence.reading.feature import reading_fault
from ingest.timestamps import milliseconds_of_text
from service.location.errors import CANNOT_PARSE, Field, ValidationException
from service.location.model import Model, Shape, python_pattern
from service.location.prose import EXACTLY_ONE

MOST: Final = 100
"""Faults that are named."""
KINDS: Final[Mapping[str, tuple[Any, str]]] = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "an array"),
    "string": (str, "a string"),
    "timestamp": (str, "a string"),
    "blob": (str, "a string"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "double": ((int, float), "a number"),
    "float": ((int, float), "a number"),
}


class Fault(NamedTuple):
    """At a path of a request; whether it is that something is missing."""

    name: str
    message: str
    missing: bool = False


def document(body: bytes) -> dict[str, Any]:
    """The members of a body, the names as the model has them. Raises ValidationException."""
    try:
        read = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(reading_fault(error)) from None
    if type(read) is not dict:
        raise _unreadable("expected a JSON object")
    # Members given twice make the written text longer, by a colon each, than what was read of it.
    if body.count(b":") != msgspec.json.encode(read).count(b":") or b"\\u00" in body:
        _refuse_repeated(body)
    return read


def faults(model: Model, name: str, said: Any) -> list[Fault]:
    """What is wrong with a value that is to have this shape, the first of them."""
    found = []
    for fault in _faults(model, model.shapes[name], name, said, ""):
        found.append(fault)
        if len(found) == MOST:
            break
    return found


def without_nulls(value: Any) -> Any:
    """A member that is null is not there; in an array it stays, since nothing may be null there."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _unreadable(what: str) -> ValidationException:
    return ValidationException(
        f"The request body cannot be parsed: {what}", CANNOT_PARSE, [Field("body", what)]
    )


def _refuse_repeated(body: bytes) -> None:
    def members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        if twice:
            raise _unreadable(f"{', '.join(map(repr, twice))}: given more than once")
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=members)
    except (ValueError, RecursionError) as error:
        raise _unreadable(reading_fault(error)) from None


def _faults(model: Model, shape: Shape, name: str, value: Any, path: str) -> Iterator[Fault]:
    kind, kind_name = KINDS[shape.type]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield Fault(path, f"expected {kind_name}")
        return
    match shape.type:
        case "structure":
            yield from _of_structure(model, shape, name, value, path)
        case "map":
            yield from _of_length(shape, len(value), "entries", path)
            key_shape, value_shape = model.shapes[str(shape.key)], model.shapes[str(shape.value)]
            for key, each in value.items():
                at = f"{path}[{shown(key)}]"
                for fault in _faults(model, key_shape, str(shape.key), key, at):
                    yield fault._replace(message=f"key: {fault.message}")
                yield from _faults(model, value_shape, str(shape.value), each, at)
        case "list":
            yield from _of_length(shape, len(value), "entries", path)
            of = str(shape.member)
            for index, each in enumerate(value):
                yield from _faults(model, model.shapes[of], of, each, f"{path}[{index}]")
        case "string":
            yield from _of_text(shape, value, path)
        case "timestamp":
            if milliseconds_of_text(value[:65]) is None:
                yield Fault(path, "expected an ISO 8601 time with zone, such as 2026-11-28T05:00:00Z")
        case "blob":
            yield from _of_blob(shape, value, path)
        case "integer" | "double" | "float":
            yield from _of_range(shape, value, path)


def _of_structure(model: Model, shape: Shape, name: str, value: dict[str, Any], path: str) -> Iterator[Fault]:
    for each, member in shape.members.items():
        at = f"{path}.{each}" if path else each
        if each in value:
            yield from _faults(model, model.shapes[member.shape], member.shape, value[each], at)
        elif each in shape.required:
            yield Fault(at, "missing: it is required", missing=True)
    if name in EXACTLY_ONE:
        given = [each for each in EXACTLY_ONE[name] if each in value]
        if len(given) != 1:
            yield Fault(path, f"expected exactly one of {', '.join(EXACTLY_ONE[name])}: {len(given)} given")


def _of_text(shape: Shape, value: str, path: str) -> Iterator[Fault]:
    if shape.enum:
        if value not in shape.enum:
            yield Fault(path, f"expected one of {', '.join(shape.enum)}")
        return
    yield from _of_length(shape, len(value), "characters", path)
    if shape.pattern is None:
        if "\0" in value:  # which a database's text has not
            yield Fault(path, "expected text without NUL")
    elif not _compiled(python_pattern(shape.pattern)).match(value):
        yield Fault(path, f"expected the pattern {shape.pattern}")


def _of_blob(shape: Shape, value: str, path: str) -> Iterator[Fault]:
    try:
        read = base64.b64decode(value.encode(), validate=True)
    except (ValueError, binascii.Error):
        yield Fault(path, "expected Base64")
        return
    yield from _of_length(shape, len(read), "bytes", path)


def _of_length(shape: Shape, length: int, of: str, path: str) -> Iterator[Fault]:
    least, most = shape.min or 0, shape.max
    if length < least:
        yield Fault(path, f"expected at least {least} {of}: {length} given")
    elif most is not None and length > most:
        yield Fault(path, f"expected at most {most} {of}: {length} given")


def _of_range(shape: Shape, value: float, path: str) -> Iterator[Fault]:
    if shape.min is not None and value < shape.min:
        yield Fault(path, f"expected at least {shape.min}")
    elif shape.max is not None and value > shape.max:
        yield Fault(path, f"expected at most {shape.max}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def shown(key: str) -> str:
    """A map's key in a path, not too long."""
    return key if len(key) <= 40 else f"{key[:37]}..."
