"""Edges that go more than half way around the Earth: refused where the short way may have been meant.

An edge is straight in longitude and latitude, so one from 177 to -178 goes through 0: the long way. RFC
7946 has geometries that cross the antimeridian cut there (section 3.1.9), but those who send such an edge
have mostly not done so. Where the long way is meant, a position on the way says so.

Two kinds leave no doubt and are taken: an edge along a pole, which is one point, and the side of a band
around the whole Earth, from one side of the antimeridian to the other, where the ring also runs along the
antimeridian at one of its ends.
"""

import numpy as np
from numpy.typing import NDArray

from geofence.faults import FeatureFaults
from geofence.reading.ring_faults import AROUND, LATITUDE, LONGITUDE, Coordinates, text_of


def refuse_long_edges(coordinates: Coordinates, ring: str, faults: FeatureFaults) -> None:
    """Add a fault where edges of a closed ring within bounds span more than 180 degrees of longitude.

    Such edges were accepted before there was this rule.
    """
    if faults.accepted:
        return
    doubtful = _doubtful_edges(coordinates).tolist()
    if not doubtful:
        return
    first = doubtful[0]
    start, end = coordinates[first], coordinates[first + 1]
    span = abs(end[0] - start[0])
    others = len(doubtful) - 1
    more = f", and {others} other{'s'[: others > 1]} of this ring too" if others else ""
    problem = (
        f"the edge from {text_of(start)} to {text_of(end)}, over {span:.10g} degrees of longitude, goes the "
        f"long way around the Earth{more}: expected at most {LONGITUDE}"
    )
    repair = _way_around_pole(coordinates, first) if _winds(coordinates) else _cut(start, end)
    between = text_of((start + end) / 2)
    faults.add(
        "antimeridian",
        f"{problem}; {repair}; if the long way is meant, add {between} between the two",
        ring,
        first,
    )


def _doubtful_edges(coordinates: Coordinates) -> NDArray[np.intp]:
    """The first vertices of edges that are too long and of neither kind that leaves no doubt."""
    longitude, latitude = coordinates.T
    long = np.abs(np.diff(longitude)) > LONGITUDE
    if not long.any():
        return np.flatnonzero(long)
    long &= (np.abs(latitude[:-1]) < LATITUDE) | (latitude[:-1] != latitude[1:])
    along_antimeridian = (np.abs(longitude[:-1]) == LONGITUDE) & (longitude[:-1] == longitude[1:])
    along_antimeridian &= latitude[:-1] != latitude[1:]
    different = np.flatnonzero((coordinates[:-1] != coordinates[1:]).any(axis=1))
    along_antimeridian = along_antimeridian[different]
    beside_one = np.roll(along_antimeridian, 1) | np.roll(along_antimeridian, -1)
    from_side_to_side = np.abs(np.diff(longitude)[different]) == AROUND
    return different[np.flatnonzero(long[different] & ~(from_side_to_side & beside_one))]


def _winds(coordinates: Coordinates) -> bool:
    """Whether a ring goes around a pole when each edge takes the short way."""
    turns = np.rint(np.diff(coordinates[:, 0]) / AROUND)
    return bool(turns.sum() != 0)


def _cut(start: Coordinates, end: Coordinates) -> str:
    side, latitude = _meeting(start, end)
    return (
        f"cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says, this edge at "
        f"[{side:.10g}, {latitude:.10g}] and [{-side:.10g}, {latitude:.10g}]"
    )


def _way_around_pole(coordinates: Coordinates, edge: int) -> str:
    side, latitude = _meeting(coordinates[edge], coordinates[edge + 1])
    pole = LATITUDE if coordinates[:, 1].mean() >= 0 else -LATITUDE
    way = [(side, latitude), (side, pole), (-side, pole), (-side, latitude)]
    positions = ", ".join(f"[{longitude:.10g}, {at:.10g}]" for longitude, at in way)
    return f"to go around the pole put {positions} between the two"


def _meeting(start: Coordinates, end: Coordinates) -> tuple[float, float]:
    """Where the short way meets the antimeridian: on which side it arrives (-180 or 180), which latitude."""
    side = float(LONGITUDE if start[0] > end[0] else -LONGITUDE)
    before, behind = abs(side - start[0]), abs(-side - end[0])
    share = before / (before + behind) if before + behind > 0 else 0.0
    return side, float(start[1] + share * (end[1] - start[1]))
