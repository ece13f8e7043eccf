"""What a course enters and leaves: polygons along its strands, circles by their distance from it."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geofence.earth.circle import Circles
from geofence.earth.circle_roots import circle_roots
from geofence.earth.edges import Edges, bounding_edges
from geofence.earth.ellipsoid import WGS84, Column
from geofence.forecasting.course import TOLERANCE, Chords, Course, Meetings, meetings, towards

ROUNDING = 1e-6
"""Metres: between cuts closer than that it is as good as unknown whether the course is inside."""


@dataclass(frozen=True, slots=True)
class CourseCrossings:
    """n crossings: `owner` is the place of each one's geometry, `share` of the course's length, degrees."""

    owner: NDArray[np.intp]
    entering: NDArray[np.bool_]
    share: Column
    longitude: Column
    latitude: Column


def polygon_crossings(course: Course, geometries: NDArray[np.object_]) -> CourseCrossings:
    """Where a course enters and leaves polygons and multipolygons, along each of them in order.

    Exact for a broken line within a millimetre of the geodesic, so that no visit or absence is missed that
    goes deeper than that; those shorter than that along the course are left out.
    """
    edges = bounding_edges(geometries)
    met = meetings(course, edges)
    owner = edges.owner[met.edge]
    strand_owner, strands = _strands(owner, met.strand)
    crossed = np.unique(owner)
    count, ends = len(strand_owner), len(crossed)

    of = np.concatenate([crossed, crossed, strand_owner, strand_owner, owner])
    share = np.concatenate(
        [np.zeros(ends), np.ones(ends), strands.start, strands.end, _cuts(course, edges, met)]
    )
    opens = np.concatenate([np.zeros(2 * ends), np.ones(count), -np.ones(count), np.zeros(len(owner))])
    order = np.lexsort((share, of))
    of, share, opens = of[order], share[order], opens[order]
    gap = np.flatnonzero((of[1:] == of[:-1]) & (np.diff(share) * course.length > ROUNDING))
    strand = np.where(np.cumsum(opens) > 0, np.cumsum(opens > 0) - 1, -1)[gap]

    middle = _on_strands(course, strands, strand, (share[gap] + share[gap + 1]) / 2)
    inside = _contain(geometries[of[gap]], *middle)
    run = _long_runs(of[gap], inside, share[gap] * course.length, share[gap + 1] * course.length)
    of, inside, at, strand = of[gap][run], inside[run], share[gap][run], strand[run]

    begins = _begins(of)
    before = np.roll(inside, 1)
    at_start = np.full(int(begins.sum()), course.longitude), np.full(int(begins.sum()), course.latitude)
    before[begins] = _contain(geometries[of[begins]], *at_start)
    change = inside != before
    place = _on_strands(course, strands, strand[change], at[change])
    return CourseCrossings(of[change], inside[change], at[change], *place)


def _long_runs(
    owner: NDArray[np.intp], inside: NDArray[np.bool_], start: Column, end: Column
) -> NDArray[np.intp]:
    """The first gap of each visit and each absence that is longer than a millimetre, many gaps or one.

    Cuts that change nothing may lie as close together as they like: what they part is one visit.
    """
    begins = _begins(owner)
    begins[1:] |= inside[1:] != inside[:-1]
    first, last = np.flatnonzero(begins), np.flatnonzero(np.roll(begins, -1))
    return first[end[last] - start[first] > TOLERANCE]


def _begins(owner: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each row is the first of its geometry."""
    first = np.ones(len(owner), np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    return first


def _strands(owner: NDArray[np.intp], strand: Chords) -> tuple[NDArray[np.intp], Chords]:
    """Each strand of each geometry once, by geometry, then along the course."""
    order = np.lexsort((strand.start, owner))
    owner, strand = owner[order], strand.take(order)
    first = _begins(owner)
    first[1:] |= strand.start[1:] != strand.start[:-1]
    return owner[first], strand.take(first)


def _cuts(course: Course, edges: Edges, met: Meetings) -> Column:
    """The share of the course at which each strand cuts the line through its edge, if within the strand."""
    edge, strand = edges.take(met.edge), met.strand
    x, y = towards(edge, strand, 0.0)
    determinant = strand.longitude_step * edge.latitude_step - strand.latitude_step * edge.longitude_step
    parallel = determinant == 0
    part = (x * edge.latitude_step - y * edge.longitude_step) / np.where(parallel, 1.0, determinant)
    part = np.where(parallel, 0.0, np.clip(part, 0, 1))
    return strand.start + part * (strand.end - strand.start)


def _on_strands(
    course: Course, strands: Chords, strand: NDArray[np.intp], share: Column
) -> tuple[Column, Column]:
    """Longitude and latitude at shares of the course: on the strand of that number, or none where -1."""
    longitude, latitude, _ = course.at(share)
    on = strand >= 0
    longitude[on], latitude[on] = strands.take(strand[on]).at(share[on])
    return longitude, latitude


def _contain(geometries: NDArray[np.object_], longitude: Column, latitude: Column) -> NDArray[np.bool_]:
    """Whether each position is in the geometry beside it: at the antimeridian, on either side of it; at a
    pole, which is one point, wherever the geometry reaches it.
    """
    inside: NDArray[np.bool_] = shapely.intersects_xy(geometries, longitude, latitude)
    seam = np.flatnonzero(np.abs(longitude) == 180)
    inside[seam] |= shapely.intersects_xy(geometries[seam], -longitude[seam], latitude[seam])
    pole = np.flatnonzero(np.abs(latitude) == 90)
    inside[pole] |= (shapely.bounds(geometries[pole])[:, 1::2] == latitude[pole, None]).any(axis=1)
    return inside


def circle_crossings(course: Course, circles: Circles) -> CourseCrossings:
    """Where a course enters and leaves circles, along each of them in order.

    To a thousandth of a millimetre along the course. Visits and absences shorter than a millimetre, or no
    deeper than a hundredth of one, may be left out, no others.
    """

    def look(circle: NDArray[np.intp], share: Column) -> tuple[Column, Column]:
        longitude, latitude, heading = course.at(share)
        _, towards_centre, distance = WGS84.inv(
            circles.longitude[circle], circles.latitude[circle], longitude, latitude
        )
        slope: Column = -course.length * np.cos(np.radians(heading - towards_centre))
        return distance - circles.radius[circle], slope

    reach = np.full(len(circles), course.length)
    circle, share, entering = circle_roots(look, circles.radius, reach, np.zeros(len(circles)))
    return CourseCrossings(circle, entering, share, *course.at(share)[:2])
