"""An encoder of Geobuf for tests: rings of whole numbers, of which the last position is left out."""

from collections.abc import Iterable, Sequence

Ring = Sequence[tuple[int, int]]


def encoded_geobuf(kind: str, polygons: Sequence[Sequence[Ring]], precision: int) -> bytes:
    """A Polygon, which is the first, or a MultiPolygon; each ring without its last position."""
    counts = [[len(ring) for ring in polygon] for polygon in polygons]
    lengths = [each for polygon in counts for each in (len(polygon), *polygon)]
    lengths = counts[0] if kind == "Polygon" else [len(counts), *lengths]
    steps: list[int] = []
    for polygon in polygons:
        for ring in polygon:
            before = (0, 0)
            for x, y in ring:
                steps += (x - before[0], y - before[1])
                before = (x, y)
    geometry = b"\x08" + (b"\x04" if kind == "Polygon" else b"\x05")
    geometry += _packed(0x12, lengths) + _packed(
        0x1A, (step * 2 if step >= 0 else -step * 2 - 1 for step in steps)
    )
    return b"\x18" + _varint(precision) + b"\x32" + _varint(len(geometry)) + geometry


def _packed(tag: int, numbers: Iterable[int]) -> bytes:
    data = b"".join(map(_varint, numbers))
    return bytes([tag]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])
