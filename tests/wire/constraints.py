"""Requests that take each constraint of the model at its edge and one past it, made from its table."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from service.location.faults import shown
from service.location.model import MODEL, Member, Shape
from service.location.prose import EXACTLY_ONE

HOME: Final = "arn:aws:geo:us-east-1:000000000000:"
EXAMPLES: Final = {
    "TrackerName": "default",
    "CollectionName": "default",
    "ResourceArn": f"{HOME}tracker/default",
    "ConsumerArn": f"{HOME}geofence-collection/default",
    "DeviceStateIpv4AddressString": "192.0.2.1",
    "WiFiAccessPointMacAddressString": "00:1A:2b:3C:4d:5E",
    "LinearRing": [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]],
    "Position": [0, 0],
}
"""By the name of a member or a shape."""
FIXED: Final = ("WiFiAccessPointMacAddressString", "DeviceStateIpv4AddressString")
"""Shapes whose pattern leaves nothing to lengths."""
BEGINNINGS: Final = {"Arn": f"{HOME}tracker/"}
"""Of texts of a shape, which then may be as long as one likes."""
UNICODE: Final = ("Id", "TagKey", "TagValue")
"""Shapes of text with a pattern that is not only ASCII."""


class Probe(NamedTuple):
    """A request, or a part of one, with one value that is at an edge or past it.

    `path` leads to that value, as answers write it; `fits`: whether it is still right.
    """

    path: str
    said: str
    value: Any
    fits: bool


def probes(operation: str) -> Iterator[Probe]:
    """The probes of an operation; each `value` is the members of its input."""
    return _of_structure(MODEL.operations[operation].input)


def example(name: str, member: str = "") -> Any:
    """A value of this shape with all of its members."""
    shape = MODEL.shapes[name]
    found = EXAMPLES.get(member, EXAMPLES.get(name))
    if found is not None:
        return found
    if shape.type == "structure":
        chosen = EXACTLY_ONE[name][:1] if name in EXACTLY_ONE else shape.members
        return {each: example(shape.members[each].shape, each) for each in chosen}
    if shape.type == "list":
        return [example(str(shape.member))] * int(shape.min or 1)
    if shape.type == "map":
        return {example(str(shape.key)): example(str(shape.value))}
    simple = {
        "string": shape.enum[0] if shape.enum else "a" * int(shape.min or 1),
        "timestamp": "2026-11-28T05:00:00Z",
        "boolean": True,
        "blob": base64.b64encode(b"x").decode(),
    }
    return simple.get(shape.type, shape.max if shape.max is not None else shape.min or 1)


def sent(operation: str, said: Mapping[str, Any]) -> tuple[str, str, bytes]:
    """Method, path with query, and body of a request with these members."""
    of = MODEL.operations[operation]
    members = MODEL.shapes[of.input].members
    path, query = of.path, ""
    for name, value in said.items():
        member = members[name]
        if member.location == "uri":
            path = path.replace(f"{{{member.wire_name}}}", quote(value, safe=""))
        elif member.location == "querystring":
            query = "?" + urlencode([(member.wire_name, each) for each in value])
    body = {name: value for name, value in said.items() if members[name].location == "body"}
    return of.method, path + query, json.dumps(body).encode() if body else b""


def _of_structure(name: str) -> Iterator[Probe]:
    shape = MODEL.shapes[name]
    whole = example(name)
    for each, member in shape.members.items():
        beside = {} if name in EXACTLY_ONE else {key: value for key, value in whole.items() if key != each}
        if each in shape.required and member.location != "uri":
            yield Probe(each, "missing", beside, fits=False)
        for path, said, value, fits in _of_member(each, member):
            if member.location == "querystring" and value == []:
                continue  # is not there
            yield Probe(_joined(each, path), said, {**beside, each: value}, fits)


def _of_member(name: str, member: Member) -> Iterator[Probe]:
    yield from _probes(member.shape, name)
    if member.location == "body":
        number = MODEL.shapes[member.shape].type in ("integer", "double", "float")
        yield Probe("", "a text for another type" if number else "a number", "5" if number else 5, fits=False)


def _probes(name: str, member: str = "") -> Iterator[Probe]:
    shape = MODEL.shapes[name]
    if shape.type == "structure":
        yield from _of_structure(name)
    elif shape.type == "list":
        element = example(str(shape.member))
        for size, fits in _sizes(shape):
            yield Probe("", f"{size} entries", [element] * size, fits)
        for path, said, value, fits in _probes(str(shape.member)):
            rest = [element] * (int(shape.min or 1) - 1)
            yield Probe(_joined("[0]", path), said, [value, *rest], fits)
    elif shape.type == "map":
        yield from _of_map(shape)
    elif shape.type in ("string", "blob"):
        yield from _of_text(name, shape, member)
    elif shape.type == "timestamp":
        for text in ("2026-11-28T05:00:00.123456+01:00", "2026-11-28T05:00:00", "2026-13-28T05:00:00Z", ""):
            yield Probe("", f"time {text}", text, fits="+" in text)
    elif shape.type == "boolean":
        yield Probe("", "false", False, fits=True)
    else:
        yield from _of_number(shape)


def _of_map(shape: Shape) -> Iterator[Probe]:
    key, value = example(str(shape.key)), example(str(shape.value))
    for size, fits in _sizes(shape):
        yield Probe("", f"{size} entries", {f"k{number}": value for number in range(size)}, fits)
    for _, said, text, fits in _probes(str(shape.key)):
        yield Probe(f"[{shown(text)}]", f"key: {said}", {text: value}, fits)
    for _, said, text, fits in _probes(str(shape.value)):
        yield Probe(f"[{key}]", said, {key: text}, fits)


def _of_text(name: str, shape: Shape, member: str) -> Iterator[Probe]:
    if shape.type == "blob":
        for size, fits in _sizes(shape):
            yield Probe("", f"{size} bytes", base64.b64encode(b"x" * size).decode(), fits)
        yield Probe("", "no Base64", "?", fits=False)
        return
    for text in shape.enum:
        yield Probe("", text, text, fits=True)
    if shape.enum:
        yield Probe("", "another", f"{shape.enum[0]}x", fits=False)
        return
    beginning = BEGINNINGS.get(name, "")
    for size, fits in () if name in FIXED else _sizes(shape):
        if size > len(beginning):
            yield Probe("", f"{size} characters", beginning + "a" * (size - len(beginning)), fits)
        elif not beginning:
            yield Probe("", "no character", "", fits and (shape.pattern is None or name == "TagValue"))
    if shape.pattern is not None:
        right = example(name, member)
        yield Probe("", "right", right, fits=True)
        yield Probe("", "with a line feed", right + "\n", fits=False)
        if name not in (*FIXED, "Arn"):
            yield Probe("", "letters beyond ASCII", right + "é٣", fits=name in UNICODE)


def _of_number(shape: Shape) -> Iterator[Probe]:
    step = 1 if shape.type == "integer" else 0.25
    if shape.min is not None:
        yield Probe("", "the least", shape.min, fits=True)
        yield Probe("", "below the least", shape.min - step, fits=False)
    if shape.max is not None:
        yield Probe("", "the most", shape.max, fits=True)
        yield Probe("", "above the most", shape.max + step, fits=False)
    yield Probe("", "true", True, fits=False)


def _sizes(shape: Shape) -> Iterator[tuple[int, bool]]:
    """At the edges and one past each, and whether that fits."""
    least, most = int(shape.min or 0), shape.max
    yield least, True
    if least:
        yield least - 1, False
    if most is not None:
        yield int(most), True
        yield int(most) + 1, False


def _joined(first: str, second: str) -> str:
    return f"{first}.{second}" if second and not second.startswith("[") else first + second
