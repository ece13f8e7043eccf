"""Which geofences contain a position: an index for the bulk, and beside it what changed since.

    put, discard -> loose (an R-tree, some dozens) -> recent (packed) -> the bulk (cells), built anew aside

What was put or discarded is in the next answer. When a hundredth has changed, all is built anew in the
background; the index goes on answering from what it has, and exchanges the two between searches.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.areas.area import Area, PolygonArea, area_of, areas_of
from geofence.areas.chosen_areas import ChosenAreas
from geofence.cells.index import CIRCLE_VERTICES, CellIndex
from geofence.cells.steps import BetweenSteps, go_on
from geofence.containment import Containment
from geofence.geofence import Geofence
from geofence.index.area_distance import area_distances
from geofence.index.loose import LooseAreas
from geofence.index.packed import PackedAreas
from geofence.kernels import Kernel, chosen
from geofence.paths.crossings import PathCrossings, path_crossings
from geofence.paths.outlines import Outlines
from geofence.paths.paths import FlatPaths, Paths

Bulk = CellIndex | PackedAreas
Build = Callable[[BetweenSteps], Bulk]
Background = Callable[[Build], "Future[Bulk]"]
"""Has something built, now or later. What fails belongs in the future."""


PATHS = 8_192
"""Crossed together at most: what is looked at then fits into the processor's cache."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept where.

    `loose`: changes kept in the R-tree, or a sixteenth of all changes where that is more; then they are
    packed. `changes`: kept beside the bulk before it is built anew, or one for each hundred geofences where
    that is more. `waited_for`: vertices for which a new index builds its cells at once (some tenths of a
    second); with more it answers from what is packed until they are built. `in_cells`: geofences; more
    are packed for good, which is quicker to build and takes less memory.
    """

    loose: int = 64
    changes: int = 64
    waited_for: int = 50_000
    in_cells: int = 250_000


LIMITS = Limits()


def at_once(build: Build) -> "Future[Bulk]":
    """Builds while the caller waits, who is told of failures by the exception itself."""
    built: Future[Bulk] = Future()
    built.set_result(build(go_on))
    return built


class GeofenceIndex:
    """Geofences under keys from 1 to 2**31 - 1. Exact; the boundary belongs to a geofence.

    For one thread at a time. `background` has the bulk built, aside if it knows how. `kernel` looks up in the
    bulk's cells (None: the best that is there).
    """

    def __init__(
        self,
        geofences: Mapping[int, Geofence],
        background: Background = at_once,
        limits: Limits = LIMITS,
        kernel: Kernel | None = None,
    ) -> None:
        self._background, self._limits, self._kernel = background, limits, chosen(kernel)
        self._areas = dict(zip(geofences, areas_of(list(geofences.values())), strict=True))
        self._bulk: Bulk = PackedAreas({})
        self._coming: Future[Bulk] | None = None
        self._changed: set[int] = set()  # keys, since the bulk was begun
        self._changed_lately: set[int] = set()  # since a build was begun last, whatever became of it
        self._problem: str | None = None
        self._recent, self._loose = PackedAreas({}), LooseAreas()
        self._outlines, self._crossed = Outlines(), False
        if _vertices(self._areas) <= limits.waited_for or len(self) > limits.in_cells:  # no cells to wait for
            self._bulk = bulk_of(self._areas, limits.in_cells, kernel=self._kernel)
        else:
            self._bulk = PackedAreas(self._areas)
            self._build()

    def __len__(self) -> int:
        return len(self._areas)

    def __contains__(self, key: object) -> bool:
        return key in self._areas

    def put(self, key: int, geofence: Geofence) -> None:
        """Add a geofence, or put it in the place of the one that has this key."""
        area = area_of(geofence)
        self.discard(key)
        self._areas[key] = area
        self._loose.put(key, area)
        self._note(key)

    def discard(self, key: int) -> None:
        """Forget a geofence; one that is not there is no error."""
        if self._areas.pop(key, None) is not None:
            for part in (self._bulk, self._recent, self._loose):
                part.discard(key)
            self._outlines.discard(key)
            self._note(key)

    def containing(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Containment:
        """All pairs of a position (degrees, length n) and a geofence that contains it.

        A position at longitude 180 or -180 is tested on both sides of the antimeridian.
        """
        self._arrange()
        seam = np.flatnonzero(np.abs(longitude) == 180)
        count = len(longitude)
        if len(seam):
            longitude = np.concatenate([longitude, -longitude[seam]])
            latitude = np.concatenate([latitude, latitude[seam]])
        parts = self._parts()
        if len(parts) == 1 and not len(seam) and self._bulk.in_order:
            return Containment(*self._bulk.containing(longitude, latitude))
        found = [part.containing(longitude, latitude) for part in parts]
        position = np.concatenate([position for position, _ in found])
        geofence = np.concatenate([geofence for _, geofence in found])
        if len(seam):
            position = np.concatenate([np.arange(count), seam])[position]
        return Containment.in_order(position, geofence, nearly=self._bulk.in_order)

    def distances(
        self,
        geofence: NDArray[np.int32],
        longitude: NDArray[np.float64],
        latitude: NDArray[np.float64],
        limit: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Metres along the geodesic from n positions (degrees) to the geofence whose key is beside each.

        0 inside. At most a millimetre and a billionth too high, never too low but for rounding (some
        nanometres); what is farther than `limit` (metres) may come as infinity.
        """
        keys, number = np.unique(geofence, return_inverse=True)
        areas = ChosenAreas([self._areas[key] for key in keys.tolist()])
        outline = self._outlines.numbers(keys, self._areas)
        return area_distances(areas, outline, self._outlines, number, longitude, latitude, limit)

    def crossings(self, paths: Paths) -> PathCrossings:
        """All that paths enter and leave, straight in longitude and latitude, boundaries inside.

        Whether a path begins and ends inside is as `containing` says. Visits and absences shorter than a
        millimetre along it are left out.
        """
        self._arrange()
        self._crossed = True
        parts = [paths.take(slice(at, at + PATHS)) for at in range(0, max(len(paths), 1), PATHS)]
        return PathCrossings.joined([self._crossings(part) for part in parts], PATHS)

    @property
    def bulk(self) -> Bulk:
        """What most geofences are found by at the moment."""
        return self._bulk

    @property
    def problem(self) -> str | None:
        """Why the bulk could not be built anew the last time; None if it could.

        Answers are right all the same, from the old bulk and what is packed beside it. As many changes as
        lead to a build lead to the next attempt.
        """
        return self._problem

    def settle(self) -> None:
        """Wait until what is being built aside is in use, or has failed."""
        if self._coming is not None:
            self._exchange(self._coming)

    def _crossings(self, paths: Paths) -> PathCrossings:
        lines = FlatPaths.of(paths)
        boxes = lines.boxes()
        near = [part.near(boxes) for part in self._parts()]
        line = np.concatenate([line for line, _ in near])
        geofence = np.concatenate([geofence for _, geofence in near])
        return path_crossings(paths, lines, (line, geofence), self._areas, self._outlines)

    def _parts(self) -> "Sequence[Bulk | LooseAreas]":
        """The bulk, and what holds something beside it."""
        return [self._bulk, *(part for part in (self._recent, self._loose) if len(part))]

    def _note(self, key: int) -> None:
        self._changed.add(key)
        self._changed_lately.add(key)

    def _arrange(self) -> None:
        """Puts what was built aside to use, begins to build anew, packs what is loose: each in its time."""
        if self._coming is not None and self._coming.done():
            self._exchange(self._coming)
        if self._coming is None and len(self._changed_lately) > max(self._limits.changes, len(self) // 100):
            self._build()
        if len(self._loose) > max(self._limits.loose, len(self._changed) // 16):
            self._pack_changed()

    def _build(self) -> None:
        areas = dict(self._areas)
        self._changed_lately = set()
        crossed, most, kernel = self._crossed, self._limits.in_cells, self._kernel

        def built(between_steps: BetweenSteps) -> Bulk:
            bulk = bulk_of(areas, most, between_steps, kernel)
            if crossed:
                bulk.near(np.zeros((1, 4)))  # which has it plant its tree now
            return bulk

        self._coming = self._background(built)

    def _exchange(self, coming: "Future[Bulk]") -> None:
        problem = coming.exception()
        self._coming, self._problem = None, None if problem is None else repr(problem)
        if problem is not None:
            return
        self._bulk, self._changed = coming.result(), self._changed_lately
        for key in self._changed:
            self._bulk.discard(key)
        self._pack_changed()

    def _pack_changed(self) -> None:
        self._recent = PackedAreas({key: self._areas[key] for key in self._changed & self._areas.keys()})
        self._loose = LooseAreas()


def bulk_of(
    areas: Mapping[int, Area],
    most_in_cells: int,
    between_steps: BetweenSteps = go_on,
    kernel: Kernel | None = None,
) -> Bulk:
    """Cells, or where there would be too many of them, a packed tree."""
    if len(areas) <= most_in_cells:
        cells = CellIndex.of(areas, between_steps=between_steps, kernel=kernel)
        if cells is not None:
            return cells
    return PackedAreas(areas)


def _vertices(areas: Mapping[int, Area]) -> int:
    polygons = [
        polygon for area in areas.values() if isinstance(area, PolygonArea) for polygon in area.polygons
    ]
    circles = sum(not isinstance(area, PolygonArea) for area in areas.values())
    return int(shapely.get_num_coordinates(polygons).sum()) + CIRCLE_VERTICES * circles
