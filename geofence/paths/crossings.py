"""Where paths enter and leave areas."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.areas.area import Area
from geofence.areas.chosen_areas import ChosenAreas
from geofence.earth.circle_roots import FINEST, SHORTEST
from geofence.earth.ellipsoid import Column
from geofence.paths.circle_stretches import circle_stretches, may_cross
from geofence.paths.edge_meetings import Meetings, meetings
from geofence.paths.outlines import Outlines
from geofence.paths.paths import FlatPaths, Numbers, Paths
from geofence.paths.polygon_stretches import polygon_stretches
from geofence.paths.stretches import Inside, Stretches, changes

LOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class PathCrossings:
    """n crossings by path, geofence, share: number of the path, key, how far along it (0 to 1), whether in.

    Those of a path and a geofence go in and out in turn.
    """

    path: Numbers
    geofence: NDArray[np.int32]
    share: Column
    entering: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.path)

    @classmethod
    def none(cls) -> Self:
        """Of paths that cross nothing."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0, np.bool_))

    @classmethod
    def joined(cls, parts: "list[Self]", paths: int) -> Self:
        """Those of parts of the paths, so many each but for the last, in one."""
        path = np.concatenate([part.path + paths * number for number, part in enumerate(parts)])
        columns = ("geofence", "share", "entering")
        return cls(path, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


@dataclass(frozen=True, slots=True)
class _Candidates:
    """n pairs of a path, or of a line, and an area, by their numbers."""

    number: Numbers
    area: Numbers

    @classmethod
    def distinct(cls, number: Numbers, area: Numbers) -> Self:
        """Each pair once."""
        pair = np.sort(number << 32 | area)
        pair = pair[np.append(True, pair[1:] != pair[:-1])[: len(pair)]]
        return cls(pair >> 32, pair & LOW)

    def take(self, index: Numbers | NDArray[np.bool_]) -> Self:
        return type(self)(self.number[index], self.area[index])


def path_crossings(
    paths: Paths,
    lines: FlatPaths,
    near: tuple[Numbers, NDArray[np.int32]],
    areas: Mapping[int, Area],
    outlines: Outlines,
) -> PathCrossings:
    """Where paths enter and leave areas.

    `lines` are those of the paths, `near` pairs of a line and the key of an area whose box it meets; a pair
    may come twice. `outlines` keeps what was made of an area for the next time.
    """
    if not len(near[0]):
        return PathCrossings.none()
    keys, area = np.unique(near[1], return_inverse=True)
    chosen = ChosenAreas([areas[key] for key in keys.tolist()])
    outline = outlines.numbers(keys, areas)
    is_circle = chosen.is_circle[area]
    polygons = _Candidates.distinct(near[0][~is_circle], area[~is_circle])
    polygons, meeting = _meetings(paths, lines, polygons, outline, outlines)
    flat = lines.take(polygons.number)
    circles = _Candidates.distinct(lines.path[near[0][is_circle]], area[is_circle])
    circles = circles.take(may_cross(paths.take(circles.number), chosen, circles.area))

    pair = np.concatenate([flat.path, circles.number]) << 32
    pair |= np.concatenate([polygons.area, circles.area])
    if not len(pair):
        return PathCrossings.none()
    pair, of = np.unique(pair, return_inverse=True)
    of_line, of_circle = of[: len(flat)], of[len(flat) :]
    whole, area = paths.take(pair >> 32), pair & LOW
    begins = chosen.contain(area, whole.from_longitude, whole.from_latitude)
    ends = chosen.contain(area, whole.to_longitude, whole.to_latitude)
    inside = Stretches.joined(
        [
            polygon_stretches(
                flat, outline[polygons.area], outlines, meeting, begins[of_line], ends[of_line]
            ).of_others(of_line),
            circle_stretches(paths.take(circles.number), chosen, circles.area, begins[of_circle]).of_others(
                of_circle
            ),
        ]
    )

    def short(number: Numbers, start: Column, end: Column) -> NDArray[np.bool_]:
        return whole.metres(number, start, end) < SHORTEST

    found = changes(Inside(begins, ends, inside), short)
    return PathCrossings(pair[found.of] >> 32, keys[area[found.of]], found.share, found.entering)


def _meetings(
    paths: Paths, lines: FlatPaths, pairs: _Candidates, outline: Numbers, outlines: Outlines
) -> tuple[_Candidates, Meetings]:
    """Those pairs whose line meets the outline of the area, and where, numbered by pairs."""
    flat = lines.take(pairs.number)
    reach, _ = paths.take(flat.path).edges().reach_and_bend()
    found = meetings(flat, outline[pairs.area], outlines, FINEST / np.maximum(reach, FINEST))
    met, line = np.unique(found.line, return_inverse=True)
    return pairs.take(met), replace(found, line=line)
