"""The stretches of lines that are inside of polygons: exact.

Think of a line moved to its right by less than anything: it then goes through no vertex and along no edge,
and each edge whose ends lie on different sides of it (one on the line itself counts as left of it) takes it
in or out. That needs no more than on which side each vertex is, which is known exactly. The line itself is
inside where the moved one is, and besides along edges, which belong to the area.

What is counted from is whether an end of the line is inside; where both ends are on the boundary, which says
nothing of what is beside it, a place between is looked at in fractions.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from geofence.paths.edge_meetings import Meetings
from geofence.paths.outlines import Outlines
from geofence.paths.paths import FlatPaths, Numbers
from geofence.paths.stretches import Stretches


def polygon_stretches(
    lines: FlatPaths,
    number: Numbers,
    outlines: Outlines,
    found: Meetings,
    begins: NDArray[np.bool_],
    ends: NDArray[np.bool_],
) -> Stretches:
    """What of each line is inside of the outline beside it.

    `begins` and `ends` say whether its path begins and ends inside.
    """
    count = len(lines)
    begins = begins & (np.abs(lines.ax) < 180) & (np.abs(lines.ay) < 90)
    ends = ends & (np.abs(lines.bx) < 180) & (np.abs(lines.by) < 90)
    line, share = found.line[found.changes], found.share[found.changes]
    odd = np.bincount(line, minlength=count) % 2 == 1
    start_open, end_open = np.ones(count, np.bool_), np.ones(count, np.bool_)
    start_open[found.line[found.at_start]] = False
    end_open[found.line[found.at_end]] = False
    begins_inside = np.where(start_open, begins, ends ^ odd)
    for each in np.flatnonzero(~start_open & ~end_open).tolist():
        begins_inside[each] = _begins_inside(each, lines, number, outlines, found)
    along = found.along
    return Stretches.joined(
        [
            Stretches.between(begins_inside, line, share),
            Stretches(found.line[along], found.share[along], found.end[along]),
        ]
    )


def _begins_inside(line: int, lines: FlatPaths, number: Numbers, outlines: Outlines, found: Meetings) -> bool:
    """Whether a line, moved to its right by less than anything, begins inside.

    Judged by its longest part between edges; where all of it is along edges it does not matter.
    """
    met = np.arange(*np.searchsorted(found.line, (line, line + 1)))
    changes, along = met[found.changes[met]], met[found.along[met]]
    cuts = np.unique(np.concatenate([[0.0, 1.0], found.share[met], found.end[along]]))
    middles, lengths = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    covered = Stretches(found.line[along], found.share[along], found.end[along]).united()
    before = np.searchsorted(covered.start, middles)
    lengths[np.append(0.0, covered.end)[before] >= middles] = 0
    longest = int(np.argmax(lengths))
    if not lengths[longest]:
        return False
    middle = Fraction(float(middles[longest]))
    (ax, ay), (bx, by) = ((Fraction(float(x)), Fraction(float(y))) for x, y in lines.ends(np.array(line)))
    there = exactly_inside(outlines, int(number[line]), ax + middle * (bx - ax), ay + middle * (by - ay))
    return there ^ bool(np.count_nonzero(found.share[changes] < middles[longest]) % 2)


NEAR = 1e-9
"""Degrees, a million times what rounding does to a place."""


def exactly_inside(outlines: Outlines, number: int, x: Fraction, y: Fraction) -> bool:
    """Whether a point that is on no edge is within an outline: whether a ray to the east meets it oddly."""
    v, w = outlines.edge(outlines.edges(number))
    rough_x, rough_y = float(x), float(y)
    east, north = w[0] - v[0], w[1] - v[1]
    turn = east * (rough_y - v[1]) - north * (rough_x - v[0])
    doubtful = (np.abs(v[1] - rough_y) <= NEAR) | (np.abs(w[1] - rough_y) <= NEAR)
    doubtful |= np.abs(turn) <= NEAR * (np.abs(east) + np.abs(north))
    meets = ((v[1] > rough_y) != (w[1] > rough_y)) & ((turn > 0) == (north > 0))
    inside = bool(np.count_nonzero(meets & ~doubtful) % 2)
    for vx, vy, wx, wy in zip(*(column[doubtful].tolist() for column in (*v, *w)), strict=True):
        if (vy > y) != (wy > y):
            exact = (Fraction(wx) - Fraction(vx)) * (y - Fraction(vy))
            exact -= (Fraction(wy) - Fraction(vy)) * (x - Fraction(vx))
            inside ^= (exact > 0) == (wy > vy)
    return inside
