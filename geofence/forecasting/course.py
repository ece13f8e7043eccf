"""The way of a device that keeps its speed and does not steer: a geodesic, and where it meets edges.

In longitude and latitude a geodesic is no straight line, but piece by piece it is nearly one. By Clairaut,
with p the distance from the axis and M the meridian's radius of curvature,

    |lambda''| <= 1 / p^2,    |phi''| <= 1 / (M p) + |M'| / M^3    along s, in radians and metres,

and over a length l a curve strays from its chord by at most l^2/8 times that. p changes by no more than s
does, so that its least value on a piece is known from its middle. Pieces whose chord, widened so far, may
meet an edge are halved until they stray by less than a millimetre: these are the strands. Crossings are then
those of a broken line that is nowhere farther than that from the geodesic.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.earth.edges import GREATEST_MERIDIAN_CHANGE, Edges
from geofence.earth.ellipsoid import (
    GREATEST_CURVATURE_RADIUS,
    LEAST_CURVATURE_RADIUS,
    WGS84,
    Column,
    earth_centred,
    from_axis,
)

TOLERANCE = 1e-3
"""Metres by which a strand strays from the geodesic at most."""

DECIMALS = 12
"""Of degrees, a ten-thousandth of a millimetre: a way along a meridian keeps its longitude exactly."""


@dataclass(frozen=True, slots=True)
class Course:
    """From a position (degrees) with a heading (degrees true) along the geodesic for `length` metres."""

    longitude: float
    latitude: float
    heading: float
    length: float

    def at(self, share: Column) -> tuple[Column, Column, Column]:
        """Longitude, latitude and heading (degrees) at shares of the length, 0 to 1."""
        count = len(share)
        longitude, latitude, back = WGS84.fwd(
            np.full(count, self.longitude),
            np.full(count, self.latitude),
            np.full(count, self.heading),
            share * self.length,
        )
        at_start = share == 0
        longitude = np.where(at_start, self.longitude, np.round(longitude, DECIMALS))
        latitude = np.where(at_start, self.latitude, np.round(latitude, DECIMALS))
        return longitude, latitude, np.asarray(back) + 180


@dataclass(frozen=True, slots=True)
class Chords(Table):
    """n pieces of a course: shares where each begins and ends, and its chord in longitude and latitude.

    The step is to the chord's end, the short way round. The piece strays from it by at most the two margins
    (degrees), which mean nothing where it is not `flat`: too near a pole for its length. A `straight` one
    strays by less than the tolerance.
    """

    start: Column
    end: Column
    longitude: Column
    latitude: Column
    longitude_step: Column
    latitude_step: Column
    longitude_margin: Column
    latitude_margin: Column
    flat: NDArray[np.bool_]
    straight: NDArray[np.bool_]

    def at(self, share: Column) -> tuple[Column, Column]:
        """Longitude and latitude on each chord at a share of the course's length."""
        part = (share - self.start) / (self.end - self.start)
        longitude = self.longitude + part * self.longitude_step
        return longitude - 360 * np.round(longitude / 360), self.latitude + part * self.latitude_step


@dataclass(frozen=True, slots=True)
class Meetings:
    """m pairs of an edge (its number) and a strand that it may meet."""

    edge: NDArray[np.intp]
    strand: Chords


def meetings(course: Course, edges: Edges) -> Meetings:
    """All pairs of an edge and a strand of the course that meet, and some that do not quite."""
    reach, _ = edges.reach_and_bend()
    middles = np.stack(earth_centred(*edges.at(0.5)))
    edge, middle, half = np.arange(len(edges)), np.full(len(edges), 0.5), 0.5
    found = [Meetings(edge[:0], chords(course, middle[:0], half))]
    while len(edge):
        pieces, piece = np.unique(middle, return_inverse=True)
        longitude, latitude, _ = course.at(pieces)
        away = np.stack(earth_centred(longitude, latitude))[:, piece] - middles[:, edge]
        near = np.sqrt((away**2).sum(axis=0)) <= reach[edge] / 2 + half * course.length + TOLERANCE
        edge, middle = edge[near], middle[near]
        pieces, piece = np.unique(middle, return_inverse=True)
        chord = chords(course, pieces, half).take(piece)
        meets = ~(chord.flat & apart(edges.take(edge), chord))
        done = meets & chord.straight
        found.append(Meetings(edge[done], chord.take(done)))
        edge, middle = edge[meets & ~done], middle[meets & ~done]
        half /= 2
        middle = np.repeat(middle, 2) + np.tile((-half, half), len(edge))
        edge = np.repeat(edge, 2)
    strands = [each.strand for each in found]
    columns = (np.concatenate([getattr(each, column.name) for each in strands]) for column in fields(Chords))
    return Meetings(np.concatenate([each.edge for each in found]), Chords(*columns))


def chords(course: Course, middle: Column, half: float) -> Chords:
    """Pieces around the middle of each, `half` a share of the course to either side."""
    start, end = middle - half, middle + half
    longitude, latitude, _ = course.at(start)
    to_longitude, to_latitude, _ = course.at(end)
    turn = to_longitude - longitude
    length = 2 * half * course.length

    axis = from_axis(course.at(middle)[1])
    least_axis = np.maximum(axis - length / 2, 1e-9)
    eighth = length * length / 8
    longitude_margin = eighth / least_axis**2
    latitude_margin = eighth / (LEAST_CURVATURE_RADIUS * least_axis)
    latitude_margin += eighth * GREATEST_MERIDIAN_CHANGE / LEAST_CURVATURE_RADIUS**3
    strays = GREATEST_CURVATURE_RADIUS * latitude_margin + (axis + length / 2) * longitude_margin
    return Chords(
        start,
        end,
        longitude,
        latitude,
        turn - 360 * np.round(turn / 360),
        to_latitude - latitude,
        np.degrees(longitude_margin) + 10**-DECIMALS,
        np.degrees(latitude_margin) + 10**-DECIMALS,
        length < least_axis,  # so that it turns by less than a radian of longitude
        (strays <= TOLERANCE) | (length <= TOLERANCE / 4),
    )


def apart(edges: Edges, chord: Chords) -> NDArray[np.bool_]:
    """Whether an edge stays clear of the chord beside it, widened by its margins: by separating axes."""
    x, y = towards(edges, chord, 0.5)
    x, y = x - chord.longitude_step / 2, y - chord.latitude_step / 2
    dx, dy, margin_x, margin_y = (
        chord.longitude_step,
        chord.latitude_step,
        chord.longitude_margin,
        chord.latitude_margin,
    )
    ex, ey = edges.longitude_step, edges.latitude_step
    crossed = np.abs(dx * ey - dy * ex) / 2
    clear: NDArray[np.bool_] = np.abs(x) > (np.abs(dx) + np.abs(ex)) / 2 + margin_x
    clear |= np.abs(y) > (np.abs(dy) + np.abs(ey)) / 2 + margin_y
    clear |= np.abs(x * ey - y * ex) > crossed + np.abs(ey) * margin_x + np.abs(ex) * margin_y
    clear |= np.abs(x * dy - y * dx) > crossed + np.abs(dy) * margin_x + np.abs(dx) * margin_y
    return clear


def towards(edges: Edges, chord: Chords, share: float) -> tuple[Column, Column]:
    """Degrees from where each chord begins to a share of the edge beside it.

    Longitude is counted so that the middles of both are less than half a turn apart.
    """
    longitude, latitude = edges.at(share)
    middle = edges.longitude + edges.longitude_step / 2
    turns = np.round((middle - chord.longitude - chord.longitude_step / 2) / 360)
    return longitude - 360 * turns - chord.longitude, latitude - chord.latitude
