"""What a path crosses, found in fractions for polygons and by dense samples for circles."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely

from geofence.earth.ellipsoid import WGS84
from geofence.geofence import Geofence
from tests.geofence.reference import contains, side

SHORTEST = 1e-3
Exact = tuple[Fraction, Fraction]
Ring = list[Exact]


class Path(NamedTuple):
    """From a position to another, in degrees."""

    start: tuple[float, float]
    end: tuple[float, float]

    def step(self) -> Exact:
        """To the end, the short way round."""
        east = Fraction(self.end[0]) - Fraction(self.start[0])
        turn = self.end[0] - self.start[0]  # where that is 180 but for rounding, both ways are short
        if abs(turn) > 180:
            east -= 360 if turn > 0 else -360
        return east, Fraction(self.end[1]) - Fraction(self.start[1])

    def at(self, share: float) -> tuple[float, float]:
        east, north = self.step()
        longitude = float(Fraction(self.start[0]) + Fraction(share) * east)
        return longitude, float(Fraction(self.start[1]) + Fraction(share) * north)

    def metres(self, start: float, end: float) -> float:
        """The length of a part, in a hundred pieces."""
        places = [self.at(share) for share in np.linspace(start, end, 101).tolist()]
        return sum(WGS84.inv(*a, *b)[2] for a, b in pairwise(places))


def visits(geofence: Geofence, path: Path) -> list[tuple[float, float]]:
    """The parts of a path that are inside of a polygon or touch it, as shares."""
    if path.step() == (0, 0):
        return []
    cuts, parts = {Fraction(0), Fraction(1)}, []
    rings = [list(_shifted(polygon)) for polygon in shapely.get_parts(geofence.geometry)]
    for polygon in (shifted for each in rings for shifted in each):
        for ring in polygon:
            for v, w in pairwise(ring):
                cuts.update(_cuts(path, v, w))
    for start, end in pairwise(sorted(cuts)):
        x, y = _place(path, (start + end) / 2)
        if any(_inside(polygon, x, y) for each in rings for polygon in each):
            if parts and parts[-1][1] == start:
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((start, end))
    return [(float(start), float(end)) for start, end in parts]


def _shifted(polygon: shapely.Polygon) -> Iterator[list[Ring]]:
    """A polygon as it is, and a turn to either side."""
    for turn in (-360, 0, 360):
        yield [
            [(Fraction(x) + turn, Fraction(y)) for x, y in shapely.get_coordinates(ring).tolist()]
            for ring in (polygon.exterior, *polygon.interiors)
        ]


def _place(path: Path, share: Fraction) -> Exact:
    east, north = path.step()
    return Fraction(path.start[0]) + share * east, Fraction(path.start[1]) + share * north


def _cuts(path: Path, v: Exact, w: Exact) -> list[Fraction]:
    """Shares at which a path meets an edge: one, or where it begins and ceases to run along it."""
    (ax, ay), (dx, dy) = _place(path, Fraction(0)), path.step()
    ex, ey = w[0] - v[0], w[1] - v[1]
    determinant = dx * ey - dy * ex
    if determinant:
        share = ((v[0] - ax) * ey - (v[1] - ay) * ex) / determinant
        along = ((v[0] - ax) * dy - (v[1] - ay) * dx) / determinant
        return [share] if 0 <= share <= 1 and 0 <= along <= 1 else []
    if (v[0] - ax) * dy != (v[1] - ay) * dx:
        return []
    shares = [((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy) for x, y in (v, w)]
    return [share for share in shares if 0 <= share <= 1]


def _inside(rings: list[Ring], x: Fraction, y: Fraction) -> bool:
    shell, *holes = (side(ring, x, y) for ring in rings)
    return shell >= 0 and all(hole <= 0 for hole in holes)


class Expected(NamedTuple):
    """Crossings as share and whether in, and whether a part is so near to a millimetre that it may stay."""

    crossings: list[tuple[float, bool]]
    doubtful: bool


def expected_crossings(geofence: Geofence, path: Path) -> Expected:
    """Of a polygon, one visit after the other."""
    begins, ends = contains(geofence, *path.start), contains(geofence, *path.end)
    if path.step() == (0, 0):
        return Expected([], doubtful=False)
    parts = visits(geofence, path)
    if begins and not (parts and parts[0][0] == 0):
        parts.insert(0, (0.0, 0.0))
    if ends and not (parts and parts[-1][1] == 1):
        parts.append((1.0, 1.0))
    doubtful, kept = False, []
    for start, end in parts:
        if kept:
            absence = path.metres(kept[-1][1], start)
            doubtful |= abs(absence - SHORTEST) < SHORTEST / 1000
            if absence < SHORTEST:
                kept[-1] = (kept[-1][0], end)
                continue
        kept.append((start, end))
    found = []
    for start, end in kept:
        enters, leaves = not (begins and start == 0), not (ends and end == 1)
        length = path.metres(start, end)
        doubtful |= abs(length - SHORTEST) < SHORTEST / 1000
        if enters and leaves and length < SHORTEST:
            continue
        found += [(start, True)] * enters + [(end, False)] * leaves
    return Expected(found, doubtful)
