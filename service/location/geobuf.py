"""Geobuf: a polygon or multipolygon in protocol buffers, as https://github.com/mapbox/geobuf has it.

    message Data     { keys = 1; uint32 dimensions = 2 [default = 2]; uint32 precision = 3 [default = 6];
                       feature_collection = 4; feature = 5; Geometry geometry = 6; }
    message Geometry { Type type = 1; repeated uint32 lengths = 2; repeated sint64 coords = 3; ... }

Coordinates are whole numbers of 10^-precision degrees, each position as steps from the one before, and a ring
leaves out its last position, which is its first. `lengths` counts the positions of each ring; of several
polygons it counts these, and before its rings those of each. Where all is one ring, it is left out.

Whatever the bytes: time and memory are of the order of their number, and what is wrong raises GeobufFault.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ring = list[list[float]]
"""Positions as [longitude, latitude], the last equal to the first."""


class GeobufFault(ValueError):
    """What is wrong with the bytes."""


class DecodedGeobuf(NamedTuple):
    """What the bytes hold, with the coordinates of a Polygon in the place of those of the only polygon."""

    kind: Literal["Polygon", "MultiPolygon"]
    polygons: list[list[Ring]]


def decode_geobuf(data: bytes) -> DecodedGeobuf:
    """The geometry. Raises GeobufFault and nothing else."""
    dimensions, precision = DEFAULT_DIMENSIONS, DEFAULT_PRECISION
    geometry: list[bytes] = []  # a message that comes in pieces is all of them, one after the other
    for number, value in _fields(data):
        match number, value:
            case 2, int():
                dimensions = value
            case 3, int():
                precision = value
            case ((4 | 5), bytes()):
                raise GeobufFault("a Feature or FeatureCollection: expected a geometry alone")
            case 6, bytes():
                geometry.append(value)
    if not geometry:
        raise GeobufFault("no geometry: expected a Polygon or a MultiPolygon")
    if dimensions != DEFAULT_DIMENSIONS:
        raise GeobufFault(f"{dimensions} dimensions: expected 2, longitude and latitude")
    if precision > MOST_DECIMALS:
        raise GeobufFault(f"precision {precision}: expected up to {MOST_DECIMALS} decimals")
    return _geometry(b"".join(geometry), 10**precision)


DEFAULT_DIMENSIONS = 2
DEFAULT_PRECISION = 6
MOST_DECIMALS = 17
"""More than a double has for a degree."""

MOST_POSITIONS = 100_000
MOST_RINGS = MOST_POSITIONS // 3
"""No geofence has more: those are refused before they are made objects, of which each is a hundred bytes."""

KINDS: dict[int, Literal["Polygon", "MultiPolygon"]] = {4: "Polygon", 5: "MultiPolygon"}


def _geometry(message: bytes, scale: int) -> DecodedGeobuf:
    kind, lengths, coordinates = 0, _Numbers(), _Numbers()
    for number, value in _fields(message):
        match number, value:
            case 1, int():
                kind = value
            case 2, _:
                lengths.add(value)
            case 3, _:
                coordinates.add(value)
    if kind not in KINDS:
        raise GeobufFault(f"geometry of type {kind}: expected 4, a Polygon, or 5, a MultiPolygon")
    steps = _signed(coordinates.all()).tolist()
    counts = _ring_counts(KINDS[kind], lengths.all().tolist(), len(steps))
    rings_given = sum(map(len, counts))
    if rings_given > MOST_RINGS:
        raise GeobufFault(f"{rings_given:,} rings: expected up to {MOST_RINGS:,}")
    if len(steps) > 2 * MOST_POSITIONS:
        raise GeobufFault(f"{len(steps) // 2:,} positions: expected up to {MOST_POSITIONS:,}")
    expected = 2 * sum(map(sum, counts))
    if len(steps) != expected:
        raise GeobufFault(f"{len(steps)} coordinates: expected {expected} for the lengths that are given")
    rings = _rings(steps, [count for of_polygon in counts for count in of_polygon], scale)
    return DecodedGeobuf(KINDS[kind], [[next(rings) for _ in of_polygon] for of_polygon in counts])


def _ring_counts(kind: str, lengths: Sequence[int], coordinates: int) -> list[list[int]]:
    """How many positions each ring of each polygon has."""
    if not lengths:
        return [[coordinates // 2]]
    if kind == "Polygon":
        return [list(lengths)]
    polygons, at = [], 1
    while at < len(lengths):
        rings = lengths[at]
        polygons.append(list(lengths[at + 1 : at + 1 + rings]))
        at += 1 + rings
    if len(polygons) != lengths[0] or at != len(lengths):
        raise GeobufFault(f"lengths that are not those of {lengths[0]} polygons")
    return polygons


def _rings(steps: Sequence[int], counts: Sequence[int], scale: int) -> Iterator[Ring]:
    start = 0
    for count in counts:
        end = start + 2 * count
        longitudes = accumulate(steps[start:end:2])
        latitudes = accumulate(steps[start + 1 : end : 2])
        ring = [[x / scale, y / scale] for x, y in zip(longitudes, latitudes, strict=True)]
        yield [*ring, *(position.copy() for position in ring[:1])]
        start = end


# Protocol buffers: https://protobuf.dev/programming-guides/encoding/

VARINT, EIGHT_BYTES, LENGTH_DELIMITED, FOUR_BYTES = 0, 1, 2, 5
FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}
VARINT_BYTES = 10


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in order."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise GeobufFault(NO_GEOBUF)
        if wire_type == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire_type == LENGTH_DELIMITED:
            size, at = _varint(message, at)
        elif wire_type in FIXED:
            size = FIXED[wire_type]
        else:
            raise GeobufFault(NO_GEOBUF)
        if size > len(message) - at:
            raise GeobufFault(CUT_SHORT)
        yield number, message[at : at + size]
        at += size


NO_GEOBUF = "bytes that are no Geobuf"
CUT_SHORT = "bytes that end in the middle of a value"


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, seven in a byte, the lowest first; and where it ends."""
    if at < len(message) and message[at] < 0x80:
        return message[at], at + 1
    value = 0
    for place, byte in enumerate(message[at : at + VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise GeobufFault(NO_GEOBUF if len(message) - at >= VARINT_BYTES else CUT_SHORT)


class _Numbers:
    """A repeated field: its numbers come packed in bytes, one by one, or both."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def add(self, value: int | bytes) -> None:
        self._pieces.append(_varint_of(value) if isinstance(value, int) else value)

    def all(self) -> NDArray[np.uint64]:
        return _varints(b"".join(self._pieces))


def _varint_of(value: int) -> bytes:
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _varints(packed: bytes) -> NDArray[np.uint64]:
    octets = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    if not len(octets):
        return np.empty(0, np.uint64)
    if not len(ends) or ends[-1] != len(octets) - 1:
        raise GeobufFault(CUT_SHORT)
    starts = np.append(0, ends[:-1] + 1)
    widths = ends - starts + 1
    if widths.max() > VARINT_BYTES:
        raise GeobufFault(NO_GEOBUF)
    places = np.arange(len(octets)) - np.repeat(starts, widths)
    bits = (octets & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    values: NDArray[np.uint64] = np.bitwise_or.reduceat(bits, starts)
    return values


def _signed(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Zigzag: 0, 1, 2, 3 are 0, -1, 1, -2."""
    return (numbers >> np.uint64(1)).astype(np.int64) ^ -(numbers & np.uint64(1)).astype(np.int64)
