"""Rings of GeoJSON that are squares."""

Ring = list[list[float]]


def box(west: float, south: float, size: float) -> Ring:
    """From the south-west corner around to it again, against the clock."""
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


SQUARE = box(0, 0, 10)
