"""What the kernel must find, found one at a time and without anything clever."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod

from geofence.containment import Containment
from geofence.evaluation.evaluator import evaluate
from geofence.events import ENTER_KIND
from geofence.fixes.fix_columns import FixColumns
from geofence.geofence import Geofence
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import InsideState

WGS84 = Geod(ellps="WGS84")


def contains(geofence: Geofence, longitude: float, latitude: float) -> bool:
    """Whether a position is inside or on the boundary: in fractions, so that nothing is rounded.

    At the antimeridian, on either side of it; at a pole, which is one point, at any longitude.
    """
    if geofence.radius is not None:
        centre = geofence.geometry
        return bool(WGS84.inv(centre.x, centre.y, longitude, latitude)[2] <= geofence.radius)
    if abs(latitude) == 90:
        return bool((shapely.get_coordinates(geofence.geometry)[:, 1] == latitude).any())
    sides = {longitude, -longitude} if abs(longitude) == 180 else {longitude}
    return any(
        _polygon_contains(polygon, side, latitude)
        for polygon in shapely.get_parts(geofence.geometry)
        for side in sides
    )


def _polygon_contains(polygon: shapely.Polygon, longitude: float, latitude: float) -> bool:
    shell, *holes = (side(ring, longitude, latitude) for ring in _rings(polygon))
    return shell >= 0 and all(hole <= 0 for hole in holes)


Exact = tuple[Fraction, Fraction]


def _rings(polygon: shapely.Polygon) -> Iterator[list[Exact]]:
    for ring in (polygon.exterior, *polygon.interiors):
        yield [(Fraction(x), Fraction(y)) for x, y in shapely.get_coordinates(ring).tolist()]


def side(ring: list[Exact], longitude: float | Fraction, latitude: float | Fraction) -> int:
    """1 within a ring, 0 on it, -1 outside: how often a ray to the east meets it, odd or even."""
    x, y = Fraction(longitude), Fraction(latitude)
    found = -1
    for (x0, y0), (x1, y1) in pairwise(ring):
        turn = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        between = min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1)
        if turn == 0 and between:
            return 0
        if (y0 > y) != (y1 > y) and (turn > 0) == (y1 > y0):
            found = -found
    return found


def nearly_on_boundary(polygon: shapely.Polygon, longitude: float, latitude: float, degrees: float) -> bool:
    """Whether a position is so near to an edge, or nearer; in fractions."""
    x, y = Fraction(longitude), Fraction(latitude)
    least = min(
        _distance_squared(start, end, x, y) for ring in _rings(polygon) for start, end in pairwise(ring)
    )
    return least <= Fraction(degrees) ** 2


def _distance_squared(start: Exact, end: Exact, x: Fraction, y: Fraction) -> Fraction:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length_squared = dx * dx + dy * dy
    share = ((x - start[0]) * dx + (y - start[1]) * dy) / length_squared if length_squared else Fraction()
    share = min(Fraction(1), max(Fraction(), share))
    return (start[0] + share * dx - x) ** 2 + (start[1] + share * dy - y) ** 2


def containment_pairs(
    geofences: Mapping[int, Geofence], positions: Sequence[tuple[float, float]]
) -> list[tuple[int, int]]:
    """Pairs of a position's number and a geofence's key, in order."""
    return [
        (number, key)
        for number, (longitude, latitude) in enumerate(positions)
        for key in sorted(geofences)
        if contains(geofences[key], longitude, latitude)
    ]


class Fix(NamedTuple):
    """A fix of a device, and the keys of the geofences that contain it."""

    device: int
    sample_time: int
    inside: frozenset[int]


class Crossing(NamedTuple):
    device: int
    sample_time: int
    entering: bool
    geofence: int


class Reference:
    """One fix after the other."""

    def __init__(self) -> None:
        self.watermark: dict[int, int] = {}
        self.inside: dict[int, frozenset[int]] = {}

    def crossings(self, fixes: Sequence[Fix]) -> list[Crossing]:
        """Of one batch, whose fixes come in any order."""
        found = []
        for fix in sorted(fixes, key=lambda fix: (fix.device, fix.sample_time)):
            if fix.sample_time <= self.watermark.get(fix.device, fix.sample_time - 1):
                continue
            before = self.inside.get(fix.device, frozenset())
            changes = [(False, key) for key in before - fix.inside] + [
                (True, key) for key in fix.inside - before
            ]
            found += [Crossing(fix.device, fix.sample_time, *change) for change in sorted(changes)]
            self.watermark[fix.device], self.inside[fix.device] = fix.sample_time, fix.inside
        return found


def evaluated(fixes: Sequence[Fix], state: InsideState) -> Evaluation:
    """The evaluator's view of a batch."""
    pairs = [(number, key) for number, fix in enumerate(fixes) for key in sorted(fix.inside)]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return evaluate(
        FixColumns(
            np.array([fix.device for fix in fixes], np.int32),
            [],
            np.array([fix.sample_time for fix in fixes], np.int64),
            *(np.zeros(len(fixes)) for _ in range(3)),
            altitudes=lambda numbers: np.full(len(numbers), np.nan),
            properties=lambda numbers: [""] * len(numbers),
        ),
        Containment(columns[:, 0], columns[:, 1].astype(np.int32)),
        state,
    )


def crossings_of(fixes: Sequence[Fix], evaluation: Evaluation) -> list[Crossing]:
    """An evaluation's crossings, in its order."""
    columns = (
        evaluation.position.tolist(),
        (evaluation.kind == ENTER_KIND).tolist(),
        evaluation.geofence.tolist(),
    )
    return [
        Crossing(fixes[number].device, fixes[number].sample_time, entering, key)
        for number, entering, key in zip(*columns, strict=True)
    ]
