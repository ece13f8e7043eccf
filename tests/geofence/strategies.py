"""Geofences and positions with a liking for trouble: seams, poles, corners, and neighbours by one ulp."""

import math

import shapely
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex

LONGITUDES = (-180.0, -179.999, -90.0, -1.0, -0.0, 0.0, 1.0, 90.0, 179.999, 180.0)
LATITUDES = (-90.0, -89.999, -45.0, -1.0, 0.0, 1.0, 45.0, 89.999, 90.0)
RADII = (1e-6, 0.001, 1.0, 8_000.0, 50_000.0, 600_000.0, 3_000_000.0, 9_999_999.0, 10_000_000.0)

longitudes = st.sampled_from(LONGITUDES) | st.integers(-180, 180).map(float) | st.floats(-180, 180)
latitudes = st.sampled_from(LATITUDES) | st.integers(-90, 90).map(float) | st.floats(-90, 90)


@st.composite
def boxes(draw: st.DrawFn) -> Polygon:
    """Some with a hole in the middle, some triangles."""
    west, south = draw(st.integers(-180, 170)), draw(st.integers(-90, 80))
    east, north = draw(st.integers(west + 1, 180)), draw(st.integers(south + 1, 90))
    kind = draw(st.sampled_from(["box", "hole", "triangle"]))
    if kind == "triangle":
        return Polygon([(west, south), (east, south), (west, north)])
    shell = shapely.box(west, south, east, north)
    width, height = (east - west) / 4, (north - south) / 4
    hole = shapely.box(west + width, south + height, east - width, north - height)
    return shell.difference(hole) if kind == "hole" else shell


@st.composite
def across_antimeridian(draw: st.DrawFn) -> MultiPolygon:
    south = draw(st.integers(-90, 80))
    north = draw(st.integers(south + 1, 90))
    east, west = draw(st.integers(-179, -100)), draw(st.integers(100, 179))
    return MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _polygon_geofence(geometry: Polygon | MultiPolygon) -> Geofence:
    return Geofence("area", geometry, None, {})


@st.composite
def circles(draw: st.DrawFn) -> Geofence:
    radius = draw(st.sampled_from(RADII) | st.floats(1e-9, 1e7))
    return Geofence("circle", Point(draw(longitudes), draw(latitudes)), radius, {"radius": radius})


def few_ulps(draw: st.DrawFn, value: float, towards: float) -> float:
    """A number that is one to five steps of a double nearer to another."""
    for _ in range(draw(st.integers(1, 5))):
        value = math.nextafter(value, towards)
    return value


@st.composite
def slivers(draw: st.DrawFn) -> Polygon:
    """Triangles and boxes that are a few ulps wide or high, and long slanting ones."""
    west, south = draw(st.integers(-179, 100)), draw(st.integers(-90, 60))
    east, north = draw(st.integers(west + 1, west + 80)), draw(st.integers(south + 1, 90))
    kind = draw(st.sampled_from(["wide", "high", "slanting"]))
    if kind == "wide":
        return shapely.box(west, south, east, few_ulps(draw, south, 91))
    if kind == "high":
        return shapely.box(few_ulps(draw, west, -181), south, west, north)
    return Polygon([(west, south), (east, north), (few_ulps(draw, east, -181), north)])


@st.composite
def around_pole(draw: st.DrawFn) -> Polygon:
    """A ring around a pole, along the antimeridian and the pole; some leave the pole out by a slot."""
    pole = draw(st.sampled_from([-90, 90]))
    longitudes_between = sorted(draw(st.sets(st.integers(-179, 179), min_size=1, max_size=6)))
    edge = [(at, draw(st.integers(-80, 80))) for at in (-180, *longitudes_between, 180)]
    if draw(st.booleans()):
        return Polygon([*edge, (180, pole), (-180, pole)])
    return Polygon(
        [*edge, (180, pole), (draw(st.integers(-179, 179)), math.copysign(85, pole)), (-180, pole)]
    )


@st.composite
def with_needless_vertices(draw: st.DrawFn) -> Polygon:
    """A box with vertices that come twice or lie on an edge, and a hole that touches the shell in a point."""
    west, south, size = (
        draw(st.integers(-180, 170)),
        draw(st.integers(-90, 80)),
        draw(st.sampled_from([2, 4, 8])),
    )
    corners = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    ring = [corner for corner in corners for _ in range(draw(st.integers(1, 3)))]
    hole = draw(st.sampled_from([[], [(0, 1), (1, 1.5), (1, 0.5)], [(0, 0), (1, 1.5), (1, 0.5)]]))
    shell, *holes = ([(west + x * size / 2, south + y * size / 2) for x, y in part] for part in (ring, hole))
    return Polygon(shell, [ring for ring in holes if ring])


@st.composite
def touching_parts(draw: st.DrawFn) -> MultiPolygon:
    """Parts that share a corner, and one whose corner lies on another's edge."""
    west, south = draw(st.integers(-180, 172)), draw(st.integers(-90, 82))
    first = Polygon([(west, south), (west + 2, south + 3), (west + 4, south)])
    corner = shapely.box(west + 2, south + 3, west + 5, south + 7)
    on_edge = Polygon([(west + 5, south + 5), (west + 8, south + 3), (west + 8, south + 8)])
    return MultiPolygon(draw(st.sampled_from([[first, corner], [corner, on_edge], [first, corner, on_edge]])))


corners = st.tuples(longitudes, st.floats(-89, 89))
triangles = st.lists(corners, min_size=3, max_size=3).map(Polygon).filter(lambda triangle: triangle.is_valid)
"""With corners at any doubles: their products have more bits than two doubles hold."""

polygons = (
    boxes() | across_antimeridian() | slivers() | around_pole() | with_needless_vertices() | touching_parts()
)
polygon_geofences = polygons.map(_polygon_geofence)
geofences = polygon_geofences | circles()


@st.composite
def positions_near(draw: st.DrawFn, near: list[Geofence]) -> tuple[float, float]:
    """Anywhere, or on a vertex, an edge or a centre of a geofence, or beside it by an ulp or a bit more."""
    longitude, latitude = draw(longitudes), draw(latitudes)
    if near and draw(st.booleans()):
        vertices = shapely.get_coordinates(draw(st.sampled_from(near)).geometry).tolist()
        number, share = draw(st.integers(0, len(vertices) - 1)), draw(st.sampled_from([0, 0, 0.5, 0.3]))
        longitude, latitude = (
            start + share * (end - start)
            for start, end in zip(vertices[number - 1], vertices[number], strict=True)
        )
    longitude = draw(st.sampled_from([longitude, math.nextafter(longitude, 0), longitude + 1e-6]))
    latitude = draw(st.sampled_from([latitude, math.nextafter(latitude, 0), latitude - 1e-6]))
    return min(180.0, max(-180.0, longitude)), min(90.0, max(-90.0, latitude))


def put_or_discard(data: st.DataObject, fences: dict[int, Geofence], index: GeofenceIndex) -> None:
    """One of six keys gets another geofence, or none; so does the index."""
    key = data.draw(st.integers(1, 6))
    if data.draw(st.booleans()):
        fences[key] = data.draw(geofences)
        index.put(key, fences[key])
    else:
        fences.pop(key, None)
        index.discard(key)
