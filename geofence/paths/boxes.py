"""Boxes around items that follow one another, and larger boxes around these: lines find what they may meet.

Edges follow one another along a ring, so sixteen in a row lie close together and their box is small; so is
the box of sixteen such boxes. A line is tested against the outermost boxes of an outline, then against what
is in those that it meets, all lines and outlines together, level by level: some dozens of tests for an
outline of ten thousand edges.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geofence.columns.ranges import ranges
from geofence.paths.growing import Growing
from geofence.paths.paths import FlatPaths, Numbers, Sides

TOGETHER = 16
"""Items in a box, and boxes in a larger one."""

ROUNDING = 1e-12
"""Degrees by which a line is thicker than it is when it is tested against boxes."""

Pairs = tuple[Numbers, Numbers]


class Boxes:
    """Groups of items, each found by its outermost boxes.

    Box i holds items, or boxes, from `first[i]` on, `count[i]` of them.
    """

    def __init__(self) -> None:
        self._sides = [Growing(np.float64) for _ in range(4)]
        self._first, self._count, self._of_items = Growing(np.int64), Growing(np.int64), Growing(np.bool_)
        self._root, self._roots = Growing(np.int64), Growing(np.int64)  # of each group

    def add(self, start: Numbers, count: Numbers, sides: Sides) -> None:
        """Add groups: each of `count` items from the number `start` on; `sides` are those of all items."""
        first_group = len(self._root)
        self._root.add(np.zeros(len(start), np.int64))
        self._roots.add(np.zeros(len(start), np.int64))
        group, of_items = np.arange(len(start)), True
        while len(group):
            boxes = -(-count // TOGETHER)
            of = np.repeat(np.arange(len(group)), boxes)
            offset = TOGETHER * ranges(np.zeros_like(boxes), boxes)
            cuts = (np.cumsum(count) - count)[of] + offset
            sides = [
                reduced.reduceat(side, cuts)
                for reduced, side in zip((np.minimum, np.minimum, np.maximum, np.maximum), sides, strict=True)
            ]
            root = len(self._first) + np.cumsum(boxes) - boxes
            for column, rows in zip(self._sides, sides, strict=True):
                column.add(rows)
            self._first.add(start[of] + offset)
            self._count.add(np.minimum(count[of] - offset, TOGETHER))
            self._of_items.add(np.full(len(of), of_items))
            done = boxes <= TOGETHER
            self._root.rows[first_group + group[done]] = root[done]
            self._roots.rows[first_group + group[done]] = boxes[done]
            sides = [side[~done[of]] for side in sides]
            group, start, count, of_items = group[~done], root[~done], boxes[~done], False

    def near(self, lines: FlatPaths, group: Numbers) -> Pairs:
        """Pairs of a line, each beside its group, and an item of that whose innermost box it meets."""
        of_lines = lines.sides()
        return self._found(group, lambda line, sides: _meet(lines, of_lines, line, sides))

    def within(self, asked: Sides, group: Numbers) -> Pairs:
        """The same for boxes instead of lines."""
        return self._found(group, lambda box, sides: np.flatnonzero(overlap(asked, box, sides)))

    def _found(self, group: Numbers, meet: Callable[[Numbers, Sides], Numbers]) -> Pairs:
        root, roots = self._root.rows[group], self._roots.rows[group]
        line, box = np.repeat(np.arange(len(group)), roots), ranges(root, roots)
        found = []
        while len(box):
            met = meet(line, [side.rows[box] for side in self._sides])
            line, box = line[met], box[met]
            count = self._count.rows[box]
            line, inner = np.repeat(line, count), ranges(self._first.rows[box], count)
            is_item = np.repeat(self._of_items.rows[box], count)
            found.append((line[is_item], inner[is_item]))
            line, box = line[~is_item], inner[~is_item]
        nothing = np.empty(0, np.int64)
        return (
            np.concatenate([nothing, *(line for line, _ in found)]),
            np.concatenate([nothing, *(item for _, item in found)]),
        )


def _meet(lines: FlatPaths, of_lines: Sides, line: Numbers, sides: Sides) -> Numbers:
    """The places where the line of that number may meet the box: by separating axes."""
    at = np.flatnonzero(overlap(of_lines, line, sides))
    line = line[at]
    west, south, east, north = (side[at] for side in sides)
    ax, ay = lines.ax[line], lines.ay[line]
    dx, dy = lines.bx[line] - ax, lines.by[line] - ay
    off = dx * ((south + north) / 2 - ay) - dy * ((west + east) / 2 - ax)
    dx, dy = np.abs(dx), np.abs(dy)
    return at[np.abs(off) <= dx * ((north - south) / 2 + ROUNDING) + dy * ((east - west) / 2 + ROUNDING)]


def overlap(of_lines: Sides, line: Numbers, sides: Sides) -> NDArray[np.bool_]:
    """Whether the box of the line of that number meets the one beside it."""
    west, south, east, north = sides
    meet: NDArray[np.bool_] = (of_lines[0][line] <= east) & (of_lines[2][line] >= west)
    meet &= (of_lines[1][line] <= north) & (of_lines[3][line] >= south)
    return meet
