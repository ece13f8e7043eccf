"""The stretches of paths that are inside of circles: their rims are crossed where the geodesic says."""

import numpy as np
from numpy.typing import NDArray

from geofence.areas.chosen_areas import ChosenAreas
from geofence.earth.circle_roots import circle_roots
from geofence.earth.ellipsoid import WGS84, Column
from geofence.paths.paths import Numbers, Paths
from geofence.paths.stretches import Stretches


def may_cross(paths: Paths, areas: ChosenAreas, area: Numbers) -> NDArray[np.bool_]:
    """Whether each path may meet the rim of the circle beside it: by straight lines through the Earth."""
    edges = paths.edges()
    reach, _ = edges.reach_and_bend()
    _, possible = areas.circles.hold_around(areas.place[area], *edges.at(0.5), reach / 2)
    return possible


def circle_stretches(paths: Paths, areas: ChosenAreas, area: Numbers, begins: NDArray[np.bool_]) -> Stretches:
    """What of each path is inside of the circle beside it; `begins` says whether it begins there.

    To a thousandth of a millimetre. Visits and absences shorter than a millimetre, or no deeper than a
    hundredth of one, may be missing.
    """
    circles, circle, edges = areas.circles, areas.place[area], paths.edges()

    def look(path: NDArray[np.intp], share: Column) -> tuple[Column, Column]:
        edge, of = edges.take(path), circle[path]
        _, towards_centre, distance = WGS84.inv(circles.longitude[of], circles.latitude[of], *edge.at(share))
        east, north = edge.velocity(share)
        towards = np.radians(towards_centre)
        slope: Column = -(east * np.sin(towards) + north * np.cos(towards))
        return distance - circles.radius[of], slope

    reach, bend = edges.reach_and_bend()
    path, share, _ = circle_roots(look, circles.radius[circle], reach, bend)
    return Stretches.between(begins, path, share)
